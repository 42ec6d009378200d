import Testing

@testable import JobstatsDeploy

struct PlanOutlineTests {
    @Test(arguments: [40, 80, 120]) func linesFitTheTerminalSaveForLinks(_ columns: Int) throws {
        let nodes = (1...500).map { "n\($0 * 3 + $0 % 7)-gpu" }
        let plan = try makePlan(makeConfiguration(nodes: nodes))
        let text = PlanOutline.text(plan, columns: columns, style: Style(usesColour: false))
        // A link or a path stays whole, alone on its line.
        for line in text.split(separator: "\n") where String(line).trimmed.contains(" ") {
            #expect(line.count <= columns, "\(line)")
        }
        #expect(text.contains("(500 hosts):"))
        #expect(text.split(separator: "\n").count < 400)
    }

    @Test func rangesAreFolded() throws {
        let plan = try makePlan(makeConfiguration(nodes: (100...599).map { "dgx-\($0)" }))
        let text = PlanOutline.text(plan, columns: 80, style: Style(usesColour: false))
        #expect(text.contains("on dgx-[100-599] (500 hosts):"))
    }
}
