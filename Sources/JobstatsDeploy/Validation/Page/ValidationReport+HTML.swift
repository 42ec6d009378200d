extension ValidationReport {
    /// The report as one page of HTML that needs nothing besides: no network, no server, and for reading no JavaScript.
    ///
    /// On top stand what to do first and how many checks ended how; below, hosts against checks as a table with the worst
    /// hosts and checks first. With JavaScript each cell tells what was seen and expected, and the table can be filtered;
    /// `#host=NAME&check=ID` behind the address opens a cell. The page allows itself only its own style and script, and
    /// shows everything that hosts said as text. Equal reports give equal pages.
    public var html: String {
        ValidationPage(self).html
    }
}

/// The parts of the page.
struct ValidationPage {
    let report: ValidationReport
    let matrix: ValidationMatrix
    let problems: [ValidationProblem]

    init(_ report: ValidationReport) {
        self.report = report
        matrix = ValidationMatrix(report)
        problems = ValidationProblem.all(of: report)
    }

    private static let style = String(decoding: PackageResources.validation_page_css, as: UTF8.self)
    private static let script = String(decoding: PackageResources.validation_page_js, as: UTF8.self)

    var html: String {
        let policy = """
            default-src 'none'; style-src '\(Self.source(Self.style))'; script-src '\(Self.source(Self.script))'; \
            base-uri 'none'; form-action 'none'
            """
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <meta name="color-scheme" content="light dark">
            <title>\(HTML.text(title))</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            \(summary)
            \(table)
            \(details)
            <script type="application/json" id="data">\(data)</script>
            <script>\(Self.script)</script>
            </body>
            </html>

            """
    }

    private var title: String {
        let failures = matrix.count(.failed) + matrix.count(.unseen)
        let result =
            matrix.checks.isEmpty
            ? "nothing checked" : failures == 0 ? "nothing failed" : Words.count(failures, "failure")
        return "\(result): jobstats on \(report.cluster)"
    }

    /// The digest by which the policy allows a style or a script.
    private static func source(_ text: String) -> String {
        "sha256-\(Base64.encode(SHA256Digest.bytes(Array(text.utf8))))"
    }

    /// Where the pointer or the keys ask for more.
    private var details: String {
        """
        <aside id="details" aria-labelledby="details-title" hidden>
        <div class="bar"><h2 id="details-title" tabindex="-1"></h2>\
        <button type="button" id="close" aria-keyshortcuts="Escape">Close</button></div>
        <div id="details-body"></div>
        </aside>
        <p id="said" class="unseen-text" role="status"></p>
        """
    }
}

/// Text as HTML that shows just these characters.
enum HTML {
    /// For elements and for attributes in double quotes. Control characters and marks of writing direction are shown as
    /// their numbers; line ends and tabs stay.
    static func text(_ text: String) -> String {
        var result = ""
        for scalar in Markdown.visible(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The letter of a state with its word for those who do not see the letter's form.
    static func mark(_ state: ValidationState) -> String {
        "<b class=\"mark \(state.pageClass)\" aria-hidden=\"true\">\(state.letter)</b>"
    }
}

extension ValidationState {
    /// The class in the style sheet; short, since it stands in each cell.
    var pageClass: String {
        switch self {
        case .failed: "F"
        case .unseen: "U"
        case .warning: "W"
        case .skipped: "S"
        default: "P"
        }
    }
}
