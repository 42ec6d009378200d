import CLinux

/// The memory of the process that calls.
public enum ServiceMemory {
    /// Gives back memory that start-up used: free heap, and the pages of the program and its libraries, which the kernel
    /// maps in groups around each first touch and counts as resident for good. What is still needed is mapped again from
    /// the page cache, in microseconds.
    ///
    /// For services that run for long and do little; call it once the first work is done. Changes nothing else.
    public static func release() { clinux_release_memory() }
}
