import Testing

@testable import BCMClient
