/// Changes that are to be committed together.
///
/// cmsh commits object by object, so that a failure can leave some of them changed and others not. ``Cmsh/commit(_:)`` looks after every
/// change, and its error says which were committed and which were not.
public struct CmshTransaction: Sendable, Hashable {
    /// One change of one object.
    public struct Change: Sendable, Hashable, CustomStringConvertible {
        enum Action: Sendable, Hashable {
            case set(String, String)
            case append(String, String)
            case removeFrom(String, String)
            case assign(String)
            case unassign(String)
        }
        /// The object.
        public let object: CmshObject
        let action: Action

        /// `device dgx-01: set category dgx`.
        public var description: String { "\(object): " + words.joined(separator: " ") }

        var words: [String] {
            switch action {
            case .set(let property, let value): ["set", property, value]
            case .append(let property, let value): ["append", property, value]
            case .removeFrom(let property, let value): ["removefrom", property, value]
            case .assign(let role): ["assign", role]
            case .unassign(let role): ["unassign", role]
            }
        }

        /// The commands, those that lead to the object left out.
        func commands() throws(BCMError) -> [[String]] {
            for (word, what) in zip(words.dropFirst(), ["property", "value"]) where what == "property" {
                _ = try CmshScript.name(word, what)
            }
            switch action {
            case .assign, .unassign: return [["roles"], words]
            case .append, .removeFrom: return [words]
            case .set: return [words]
            }
        }
    }

    /// The changes in the order in which they are made.
    public private(set) var changes: [Change] = []

    /// Creates a transaction without changes.
    public init() {}

    /// Sets a property.
    public mutating func set(_ property: String, to value: String, of object: CmshObject) {
        changes.append(Change(object: object, action: .set(property, value)))
    }

    /// Adds a value to a property that is a list.
    public mutating func append(_ value: String, to property: String, of object: CmshObject) {
        changes.append(Change(object: object, action: .append(property, value)))
    }

    /// Takes a value from a property that is a list.
    public mutating func remove(_ value: String, from property: String, of object: CmshObject) {
        changes.append(Change(object: object, action: .removeFrom(property, value)))
    }

    /// Assigns a role.
    public mutating func assign(_ role: String, to holder: RoleHolder) {
        changes.append(Change(object: holder.object, action: .assign(role)))
    }

    /// Takes a role away.
    public mutating func unassign(_ role: String, from holder: RoleHolder) {
        changes.append(Change(object: holder.object, action: .unassign(role)))
    }

    /// The commands: object by object, each with a commit of its own.
    func commands() throws(BCMError) -> [[String]] {
        var commands: [[String]] = []
        var index = 0
        while index < changes.count {
            let object = changes[index].object
            commands += try object.entering()
            while index < changes.count, changes[index].object == object {
                let own = try changes[index].commands()
                commands += own
                index += 1
                // Out of `roles` again for the next change of the same object.
                if own.count > 1, index < changes.count, changes[index].object == object {
                    commands += try object.entering()
                }
            }
            commands.append(["commit"])
        }
        return commands
    }

    /// Whether a value is the one that was set: equal, or the same truth value in other words.
    static func isSame(_ shown: String, _ wanted: String) -> Bool {
        func truth(_ text: String) -> Bool? {
            switch text.lowercased() {
            case "yes", "on", "true", "1": true
            case "no", "off", "false", "0": false
            default: nil
            }
        }
        if shown == wanted { return true }
        if let left = truth(shown), let right = truth(wanted) { return left == right }
        // A list may be shown in lines.
        return Cmsh.list(shown) == Cmsh.list(wanted)
    }
}

/// Why a transaction was not committed as a whole.
public struct CmshTransactionError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public let cause: BCMError
    /// The changes that are in force.
    public let committed: [CmshTransaction.Change]
    /// The changes that are not.
    public let uncommitted: [CmshTransaction.Change]
    /// The changes of which that could not be found out.
    public let unknown: [CmshTransaction.Change]

    /// The cause, and what became of each change.
    public var description: String {
        let lists = [("not committed", uncommitted), ("committed", committed), ("unknown", unknown)]
        return "\(cause)"
            + lists.filter { !$0.1.isEmpty }.map { " | \($0.0): " + $0.1.map { "\($0)" }.joined(separator: "; ") }
            .joined()
    }
}

extension Cmsh {
    /// Makes the changes, commits them, and reads each back.
    ///
    /// - Throws: ``CmshTransactionError``, which says what was committed and what was not.
    public func commit(_ transaction: CmshTransaction) async throws(CmshTransactionError) {
        guard !transaction.changes.isEmpty else { return }
        var cause: BCMError?
        let script: CmshScript
        do throws(BCMError) {
            script = try CmshScript(transaction.commands())
        } catch {
            throw CmshTransactionError(cause: error, committed: [], uncommitted: transaction.changes, unknown: [])
        }
        do throws(BCMError) {
            _ = try await run(script, expectsOutput: false)
        } catch {
            cause = error
        }
        var (committed, uncommitted, unknown):
            ([CmshTransaction.Change], [CmshTransaction.Change], [CmshTransaction.Change])
        (committed, uncommitted, unknown) = ([], [], [])
        var lookFailure: BCMError?
        for change in transaction.changes {
            do throws(BCMError) {
                let isInForce = try await isInForce(change, among: transaction)
                if isInForce { committed.append(change) } else { uncommitted.append(change) }
            } catch {
                lookFailure = lookFailure ?? error
                unknown.append(change)
            }
        }
        if cause == nil, let first = uncommitted.first {
            cause = BCMError(
                .refused, reason: "cmsh reported no error, and yet this is not so after the commit: \(first)",
                remedy: "look at what cmsh shows there")
        }
        guard let cause = cause ?? lookFailure else { return }
        throw CmshTransactionError(cause: cause, committed: committed, uncommitted: uncommitted, unknown: unknown)
    }

    /// Whether BCM shows what a change was to bring about, or what a later one of the same transaction made of it.
    private func isInForce(
        _ change: CmshTransaction.Change, among transaction: CmshTransaction
    ) async throws(BCMError) -> Bool {
        switch change.action {
        case .set(let property, let value):
            let last = transaction.changes.last { other in
                if case .set(property, _) = other.action { other.object == change.object } else { false }
            }
            if let last, last != change { return try await isInForce(last, among: transaction) }
            return CmshTransaction.isSame(try await self.value(of: property, of: change.object), value)
        case .append(let property, let value):
            return try await values(of: property, of: change.object).contains(value)
        case .removeFrom(let property, let value):
            return try await !values(of: property, of: change.object).contains(value)
        case .assign(let role): return try await ownRoles(of: change.object).contains(role)
        case .unassign(let role): return try await !ownRoles(of: change.object).contains(role)
        }
    }

    /// The roles that are assigned to an object itself.
    private func ownRoles(of object: CmshObject) async throws(BCMError) -> [String] {
        let table = try await table(object.entering() + [["roles"], ["list", "-p"]])
        var names: [String] = []
        for row in table.rows {
            guard let text = row["name"] ?? row["role"] ?? row.values.first, let role = RoleAssignment(cmsh: text)
            else {
                continue
            }
            if role.origin == .node || role.origin == .category(nil) { names.append(role.name) }
        }
        return names
    }
}
