import Testing

@testable import JobstatsDeploy

struct RunDisplayTests {
    private func shown(hosts count: Int, _ outcome: StepOutcome, _ detail: String = "x is missing") -> String {
        let console = TestConsole()
        let display = RunDisplay(console: console)
        let hosts = (1...count).map { Host("dgx-\($0)") }
        display.show(.sectionBegan(number: 4, title: "Node statistics", hosts: hosts, waves: [count]))
        for host in hosts {
            display.show(.hostBegan(host, section: 4))
            for step in ["Program", "Unit file"] {
                display.show(
                    .stepEnded(
                        StepResult(
                            step: step, title: step, section: 4, host: host, outcome: outcome, detail: detail,
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

    @Test func everyFailureHasALineHoweverManyHosts() {
        #expect(shown(hosts: 100, .failed, "No route to host").contains("dgx-77: Program: failed: No route to host"))
    }
}
