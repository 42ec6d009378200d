/// The headings under which `--help` shows options, in the order of its page.
public enum OptionTitle {
    /// What is done.
    public static let what = "What to do"
    /// Which part of it.
    public static let part = "Which part, and where"
    /// What is asked and what is agreed to.
    public static let consent = "Questions and consents"
    /// Where programs come from.
    public static let supply = "Without internet"
    /// How it is gone about.
    public static let how = "How"
}
