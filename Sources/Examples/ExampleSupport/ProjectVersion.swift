/// The version that every program of this project shows with `--version`.
public enum ProjectVersion {
    /// The version, after semver.org.
    public static let current = "0.1.0"
}
