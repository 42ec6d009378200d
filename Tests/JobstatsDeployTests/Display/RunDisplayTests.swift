import Testing

@testable import JobstatsDeploy

struct RunDisplayTests {
    private func shown(
        hosts count: Int, _ outcome: StepOutcome, _ detail: String = "x is missing", waves: [Int]? = nil,
        reversed: Bool = false
    ) -> String {
        let console = TestConsole()
        let display = RunDisplay(console: console)
        var hosts = (1...count).map { Host("dgx-\($0)") }
        display.show(.sectionBegan(number: 4, title: "Node statistics", hosts: hosts, waves: waves ?? [count]))
        if reversed { hosts.reverse() }
        for host in hosts {
            display.show(.hostBegan(host, section: 4))
            for step in ["Program", "Unit file"] {
                display.show(
                    .stepEnded(
                        StepResult(
                            step: step, title: step, section: 4, host: host, outcome: outcome,
                            detail: detail.replacing("NAME", with: host.name),
                            remedy: nil, isWarning: false, difference: nil, duration: .zero)))
            }
            display.show(.hostEnded(host, section: 4))
        }
        display.show(.sectionEnded(number: 4))
        return console.output
    }

    @Test func everyChangeHasALineOnFewHosts() {
        let text = shown(hosts: 2, .changed)
        #expect(text.contains("   dgx-1: Program: changed: x is missing\n   dgx-1: Unit file: changed: x is missing\n"))
    }

    @Test func manyHostsHaveALineEach() {
        let text = shown(hosts: 100, .changed)
        #expect(text.split(separator: "\n").count == 102)
        #expect(text.contains("   dgx-100: 2 steps changed\n"))
    }

    @Test func whatIsInPlaceIsNotListed() {
        #expect(shown(hosts: 100, .inPlace).split(separator: "\n").count == 2)
    }

    @Test func everyFailureOfARunHasALineAtOnceHoweverManyHosts() {
        let text = shown(hosts: 100, .failed, "No route to host", waves: [1, 5, 94])
        #expect(text.contains("dgx-77: Program: failed: No route to host"))
    }

    @Test(arguments: [StepOutcome.failed, .wouldChange]) func whatALookFoundIsToldOnceInTheOrderOfStepsAndHosts(
        _ outcome: StepOutcome
    ) {
        let text = shown(hosts: 9, outcome, "connect to host NAME: No route to host", reversed: true)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 4, "\(text)")
        #expect(lines[1] == "   dgx-[1-9]: Program: \(outcome): connect to host HOST: No route to host")
        #expect(lines[2] == "   dgx-[1-9]: Unit file: \(outcome): connect to host HOST: No route to host")
    }

    @Test func aLookAtOneHostNamesItInTheDetail() {
        #expect(shown(hosts: 1, .failed, "NAME is off").contains("   dgx-1: Program: failed: dgx-1 is off\n"))
    }
}
