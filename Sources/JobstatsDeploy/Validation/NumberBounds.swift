extension Int {
    /// A whole number for people from one that a host or a server told, which may be anything: not a number is 0, and what
    /// is out of any reason is cut.
    init(within value: Double) { self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -1e15), 1e15)) }
}
