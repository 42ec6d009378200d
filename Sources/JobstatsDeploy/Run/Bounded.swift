/// Work on many things, a bounded number at a time.
enum Bounded {
    /// Does the work for each element and returns when all of it is done.
    static func forEach<Element: Sendable>(
        _ elements: some Sequence<Element>, atOnce limit: Int, _ work: @escaping @Sendable (Element) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            for (index, element) in elements.enumerated() {
                if index >= max(1, limit) { await group.next() }
                group.addTask { await work(element) }
            }
        }
    }
}
