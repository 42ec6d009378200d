public import ArgumentParser
public import Logging

/// Log levels can stand on the command line.
extension Logger.Level: @retroactive ExpressibleByArgument {}
