import Testing

@testable import RoleMonitor
