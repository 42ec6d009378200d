# The public declarations of a library, one line each, from its symbol graphs. Symbols without a place in the source are
# made by the compiler, and the conformances tell of them.
#
#   member PATH<TAB>DECLARATION                    a type, function, property, initialiser
#   case PATH<TAB>DECLARATION                      a case of an enumeration
#   requirement PATH<TAB>DECLARATION               what a type must have to conform to a protocol
#   requirement-with-default PATH<TAB>DECLARATION  the same, where it need not
#   conformance TYPE<TAB>PROTOCOL
#   deprecation PATH<TAB>MESSAGE

(map(.symbols[] | {key: .identifier.precise, value: .}) | from_entries) as $symbols
| [.[].relationships[]] as $relationships
| ($relationships | map(select(.kind == "requirementOf" or .kind == "optionalRequirementOf") | {key: .source, value: true})
    | from_entries) as $requirements
| ($relationships | map(select(.kind == "defaultImplementationOf") | {key: .target, value: true}) | from_entries) as $defaults
| def path: .pathComponents | join(".");
(
    $symbols[] | select(.location != null)
    | .identifier.precise as $id
    | (if $requirements[$id] and $defaults[$id] then "requirement-with-default"
       elif $requirements[$id] then "requirement"
       elif .kind.identifier == "swift.enum.case" then "case"
       else "member" end) as $kind
    # What an extension asks of a type.
    | ([.swiftExtension.constraints // [] | .[] | "\(.lhs) \(.kind) \(.rhs)"] | join(", ")) as $constraints
    | ([.declarationFragments[].spelling] | join("") | gsub("\\s+"; " ")) as $declaration
    | "\($kind) \(path)\t\($declaration)" + (if $constraints == "" then "" else " where \($constraints)" end),
      (.availability // [] | .[] | select(.isUnconditionallyDeprecated) | . as $note | "deprecation \($symbols[$id] | path)\t\($note.message // "")")
),
(
    $relationships[]
    # Every Sendable type is this, too.
    | select(.kind == "conformsTo" and $symbols[.source] != null and .targetFallback != "Swift.SendableMetatype")
    | "conformance \($symbols[.source] | path)\t\(.targetFallback // ($symbols[.target] | path))"
)
