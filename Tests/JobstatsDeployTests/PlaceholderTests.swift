import Testing

@testable import JobstatsDeploy
