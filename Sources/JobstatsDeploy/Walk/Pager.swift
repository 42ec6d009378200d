/// Shows long texts by the page. Its key is a whole line, so that any terminal will do.
struct Pager {
    let console: any Console

    /// Shows a text; one that fits is shown as it is.
    func show(_ text: String) async {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        let page = max(5, console.rows - 2)
        while lines.count > page {
            console.write(lines.prefix(page).map { $0 + "\n" }.joined())
            lines.removeFirst(page)
            let left = Words.count(lines.count, "more line")
            guard let answer = await console.ask("   \(left): Enter goes on, a shows all, q stops: ") else { return }
            switch answer.first {
            case "q": return
            case "a": return console.write(lines.map { $0 + "\n" }.joined())
            default: break
            }
        }
        console.write(lines.map { $0 + "\n" }.joined())
    }
}
