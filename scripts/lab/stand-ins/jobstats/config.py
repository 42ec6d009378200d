# The stand-in's own configuration; a deployment replaces it.
PROM_SERVER = "http://prometheus:9090"
PROM_RETENTION_DAYS = 365
