import Testing

@testable import RoleMonitor

struct ScheduleTests {
    private let names = (1...2000).map { "dgx-\($0)" }

    @Test func firstCheckIsAtOnceUnlessTheHostHasJustBooted() {
        for name in names.prefix(50) {
            let schedule = Schedule(interval: .seconds(60), hostName: name)
            #expect(schedule.delayOfFirst(sinceBoot: 300) == .zero)
            #expect((Duration.zero ..< .seconds(60)).contains(schedule.delayOfFirst(sinceBoot: 20)))
        }
    }

    @Test func firstCheckAfterABootIsNotPutOffForALongInterval() {
        for name in names.prefix(200) {
            let delay = Schedule(interval: .seconds(86_400), hostName: name).delayOfFirst(sinceBoot: 20)
            #expect((Duration.zero..<Schedule.bootTime).contains(delay))
        }
    }

    @Test func hostsThatBootTogetherAreSpreadOverTheInterval() {
        var perSecond = [Int](repeating: 0, count: 60)
        for name in names {
            let delay = Schedule(interval: .seconds(60), hostName: name).delayOfFirst(sinceBoot: 30)
            perSecond[Int(delay.inSeconds)] += 1
        }
        // 2,000 nodes in 60 s are 33 a second; twice that nowhere.
        #expect(perSecond.allSatisfy { (10...66).contains($0) }, "\(perSecond)")
    }

    @Test func outageThatEndsForAllAtOnceDoesNotBringThemInStep() {
        // All fail until second 7,000, where each one's check ends at the same instant.
        var perSecond = [Int](repeating: 0, count: 200)
        for name in names {
            let delay = Schedule(interval: .seconds(60), hostName: name)
                .delayOfNext(sinceBoot: 7000, chance: .random(in: -1...1))
            perSecond[Int(delay.inSeconds)] += 1
        }
        #expect(perSecond.allSatisfy { $0 <= 70 }, "\(perSecond)")
    }

    @Test func checksKeepTheirIntervalOnAverage() {
        let schedule = Schedule(interval: .seconds(60), hostName: "dgx-01")
        var now = 1000.0
        var count = 0
        while now < 1000 + 60 * 1000 {
            let delay = schedule.delayOfNext(sinceBoot: now, chance: .random(in: -1...1)).inSeconds
            #expect((15...93).contains(delay))
            now += delay + 0.5
            count += 1
        }
        #expect((980...1010).contains(count))
    }

    @Test func jitterMovesACheckByATwentiethOfTheInterval() {
        let schedule = Schedule(interval: .seconds(100), hostName: "dgx-01")
        let early = schedule.delayOfNext(sinceBoot: 5000, chance: -1).inSeconds
        let late = schedule.delayOfNext(sinceBoot: 5000, chance: 1).inSeconds
        #expect(abs(late - early - 10) < 0.001)
    }

    @Test func phaseBelongsToTheNameInAnyCase() {
        let lower = Schedule(interval: .seconds(60), hostName: "dgx-01").delayOfFirst(sinceBoot: 0)
        #expect(Schedule(interval: .seconds(60), hostName: "DGX-01").delayOfFirst(sinceBoot: 0) == lower)
        #expect(Schedule(interval: .seconds(60), hostName: "dgx-02").delayOfFirst(sinceBoot: 0) != lower)
    }
}
