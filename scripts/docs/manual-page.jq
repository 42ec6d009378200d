# A manual page in mdoc(7) from what a program says of itself with --experimental-dump-help.
# Arguments: $date ("November 24, 2026"), $version, $section, $others (the other programs' names).

# Text for the page: nothing in it is taken for a macro, hyphens stay hyphens, and each sentence has a line of its own.
def escaped: gsub("\\\\"; "\\e") | gsub("-"; "\\-") | gsub("`"; "\\(ga") | gsub("'"; "\\(aq") | gsub("\""; "\\(dq");
def text: escaped | gsub("(?<end>[.:!?]) (?=[A-Z])"; "\(.end)\n") | split("\n") | map(sub("^(?=[.])"; "\\&")) | join("\n");
def sentence: if test("[.:!?]$") then . else . + "." end;

# Paragraphs; lines that are indented or set in columns stay as they are.
def paragraphs:
    split("\n\n") | map(if test("\n|  ") then ".Bd -literal -offset indent\n" + (escaped | split("\n") | map(sub("^(?=[.])"; "\\&")) | join("\n")) + "\n.Ed" else text end)
    | join("\n.Pp\n");
def exit_status: (. // "") | split("\n\n") | map(select(startswith("Exit status:"))) | first // null;
def without_exit_status: (. // "") | split("\n\n") | map(select(startswith("Exit status:") | not)) | join("\n\n");

def argument: "\(.valueName | escaped)" | if test(" ") then "\"\(.)\"" else . end;
def flag: if .kind == "short" then escaped elif .kind == "longWithSingleDash" then .name | escaped else "\\-\(.name | escaped)" end;
def name: if .kind == "short" then .name | escaped else flag end;
def shown: select(.shouldDisplay != false);
def listed: shown | select(.preferredName.name != "help" and .preferredName.name != "version");
def repeated: if .isRepeating and (.valueName | endswith("...") | not) then " ..." else "" end;

# An argument in the synopsis.
def usage:
    (if .kind == "positional" then "Ar \(argument)" elif .kind == "flag" then "Fl \(.preferredName | name)"
     else "Fl \(.preferredName | name) Ar \(argument)" end) + repeated;
def usage_line: . as $argument | usage | if $argument.isOptional then ".Op \(.)" else ".\(.)" end;

# An argument in a list.
def item:
    ".It " + (if .kind == "positional" then "Ar \(argument)"
              else (. as $argument | .names | map("Fl \(name)" + (if $argument.kind == "flag" then "" else " Ar \($argument | argument)" end)) | join(" , ")) end)
    + repeated + "\n"
    + ((.abstract // "") | sentence | text)
    + ((.allValues // []) as $values | (.abstract // "") as $abstract
        | if any($values[]; . as $value | $abstract | contains($value) | not) then "\nOne of: \($values | join(", ") | escaped)." else "" end)
    + (if .defaultValue and .kind != "flag" then "\nThe default is\n.Ql \(.defaultValue | escaped) ." else "" end)
    + (if .discussion then "\n" + (.discussion | paragraphs) else "" end);
def list: if . == [] then empty else ".Bl -tag -width Ds\n" + (map(item) | join("\n")) + "\n.El" end;
# Arguments under the headings of their groups, in the order in which these appear first.
def grouped($heading):
    [.[] | .sectionTitle // ""] as $titles
    | group_by(.sectionTitle // "") | sort_by(.[0].sectionTitle // "" | . as $title | $titles | index($title)) | .[]
    | (if .[0].sectionTitle then "\($heading) \(.[0].sectionTitle | escaped)" else empty end), list;

# The commands below this one that do something, each with the words that lead to it.
def leaves($words):
    [.subcommands[]? | select(.commandName != "help") | shown] as $below
    | if $below == [] then {$words, arguments: [.arguments[]? | listed], abstract, discussion} else $below[] | leaves($words + [.commandName]) end;

.command as $program
| [$program | leaves([])] as $leaves
# The command that is meant when none is named: the program itself, or its usual one.
| ([$leaves[] | select(.words == [] or .words == [$program.defaultSubcommand])] | first) as $usual
| [$leaves[] | select(. != $usual)] as $commands
| ([$program.discussion, $usual.discussion] | map(values) | unique | join("\n\n")) as $discussion
# What every command takes is told once.
| ($leaves[0].arguments | map(. as $argument | select(($leaves | length) > 2 and all($leaves[]; any(.arguments[]; . == $argument))))) as $common
| [
    ".Dd \($date)",
    ".Dt \($program.commandName | ascii_upcase | escaped) \($section)",
    ".Os bcm\\-jobstats \($version)",
    ".Sh NAME",
    ".Nm \($program.commandName | escaped)",
    ".Nd \($program.abstract | (.[0:1] | ascii_downcase) + .[1:] | rtrimstr(".") | escaped)",
    ".Sh SYNOPSIS",
    ($leaves[] |
        ".Nm",
        (if . == $usual then empty else ".Cm \(.words | join(" ") | escaped)" end),
        (.arguments[] | select(. as $argument | any($common[]; . == $argument) | not) | usage_line),
        (if $common == [] then empty else ".Op Ar option ..." end)),
    ".Sh DESCRIPTION",
    ($discussion | without_exit_status | if . == "" then ($program.abstract | text) else paragraphs end),
    (($usual.arguments // []) + $common | if . == [] then empty else ".Sh OPTIONS",
        (if $common == [] then empty else "Every command takes these:" end), grouped(".Ss") end),
    ".Pp\n.Fl h , Fl \\-help\nshows help,\n.Fl \\-version\nthe version.",
    (if $commands == [] then empty else ".Sh COMMANDS" end),
    ($commands[] |
        ".Ss \(.words | join(" ") | escaped)",
        (.abstract // "" | text),
        (.discussion | without_exit_status | if . == "" then empty else ".Pp", paragraphs end),
        (.arguments | map(select(. as $argument | any($common[]; . == $argument) | not)) | grouped(".Pp\n.Em"))),
    ($discussion | exit_status | if . then
        ".Sh EXIT STATUS",
        ".Bl -tag -width Ds",
        (ltrimstr("Exit status: ") | rtrimstr(".") | scan("(?:^|, )([0-9]+) (.*?)(?=, [0-9]+ |$)")
            | ".It \(.[0])", (.[1] | sentence | (.[0:1] | ascii_upcase) + .[1:] | text)),
        ".El"
     else empty end),
    ".Sh SEE ALSO",
    ($others | map(split(".") | ".Xr \(.[0] | escaped) \(.[1])") | join(" ,\n"))
  ]
| map(select(. != "")) | join("\n")
