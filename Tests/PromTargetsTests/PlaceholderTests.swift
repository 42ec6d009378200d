import Testing

@testable import PromTargets
