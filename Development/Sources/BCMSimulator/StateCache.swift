import ClusterModel
import Synchronization

/// The state as last read, read again when the file changes, and the one large answer that is worth keeping.
final class StateCache: Sendable {
    private struct Content {
        var stamp: StateStore.Stamp?
        var state: ClusterState
        var devices: [Key: RESTAnswer] = [:]
    }
    private struct Key: Hashable {
        var fault: Fault?
        var indent: Int
    }
    private let store: StateStore
    private let content: Mutex<Content>

    init(store: StateStore) throws {
        self.store = store
        let stamp = store.stamp()
        content = Mutex(Content(stamp: stamp, state: try store.read()))
    }

    /// The present state; the last good one while the file cannot be read.
    var state: ClusterState {
        content.withLock { content in
            Self.refresh(&content, store)
            return content.state
        }
    }

    /// The list of devices, made once for each version of the state.
    func devices(_ state: ClusterState, fault: Fault?, indent: Int) -> RESTAnswer {
        let key = Key(fault: fault, indent: indent)
        return content.withLock { content in
            Self.refresh(&content, store)
            if let known = content.devices[key] { return known }
            let answer = DeviceList.answer(content.state, fault: fault, indent: indent)
            content.devices[key] = answer
            return answer
        }
    }

    private static func refresh(_ content: inout Content, _ store: StateStore) {
        let stamp = store.stamp()
        guard let stamp, stamp != content.stamp, let state = try? store.read() else { return }
        content = Content(stamp: stamp, state: state)
    }
}
