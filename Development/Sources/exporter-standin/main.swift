print("exporter-standin: not yet")
