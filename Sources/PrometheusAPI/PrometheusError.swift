/// Why a Prometheus gave no answer to go by. Two errors are equal when their codes are.
package struct PrometheusError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds of failure.
    package enum Code: Sendable, Hashable {
        /// The address is none that can be used.
        case address
        /// Nobody answers there.
        case notReachable
        /// An answer was not there in time, or not whole.
        case timedOut
        /// What answers is no Prometheus, or refuses.
        case refused
        /// The answer was not understood.
        case malformed
    }

    /// The kind of failure.
    package let code: Code
    /// What failed, and what to do.
    package let description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether both are of the same kind.
    package static func == (left: PrometheusError, right: PrometheusError) -> Bool { left.code == right.code }
}
