# What changed between two lists of public declarations (api.jq): awk -f api-changes.awk EARLIER NOW
# Exit status: 0 nothing, 1 something that can break users, 3 additions alone.
BEGIN { FS = "\t" }

function split_key(text) {
    space = index(text, " ")
    kind = substr(text, 1, space - 1)
    path = substr(text, space + 1)
}
function parent(path) { return match(path, /[.][^.(]+([(].*)?$/) ? substr(path, 1, RSTART - 1) : "" }

# A line is known by kind, path and declaration; overloads share a path.
FILENAME == ARGV[1] { earlier[$0]; split_key($1); if (kind == "member") types[path]; next }
{ now[$0] }

END {
    status = 0
    for (line in earlier) if (!(line in now)) gone[line]
    for (line in now) if (!(line in earlier)) {
        fresh[line]
        split(line, field, FS)
        split_key(field[1])
        if (kind != "conformance" && kind != "deprecation") replaced[path] = field[2]
    }
    for (line in gone) {
        split(line, field, FS)
        split_key(field[1])
        if (kind == "deprecation") continue
        status = 1
        if (kind == "conformance") print "breaks: " path " is no " field[2] " any more"
        else if (path in replaced) {
            print "breaks: changed: " path ": " field[2] "  ->  " replaced[path]
            told[path]
        } else print "breaks: removed: " path ": " field[2]
    }
    for (line in fresh) {
        split(line, field, FS)
        split_key(field[1])
        if (path in told && kind != "conformance" && kind != "deprecation") continue
        if (kind == "requirement" && parent(path) in types) {
            print "breaks: added without a default: " path ": " field[2]
            status = 1
        } else if (kind == "case" && parent(path) in types) {
            print "breaks: added to what users may switch over: " path
            status = 1
        } else {
            if (kind == "conformance") print "adds: " path " is " field[2]
            else if (kind == "deprecation") print "deprecates: " path ": " field[2]
            else print "adds: " path ": " field[2]
            if (!status) status = 3
        }
    }
    exit status
}
