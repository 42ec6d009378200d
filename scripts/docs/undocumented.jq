# The public symbols of a symbol graph that have no documentation, one line each. Symbols without a place in the source are
# made by the compiler.
.symbols[]
| select(.docComment == null and .location != null)
| "\(.location.uri | sub("^file://"; "") | ltrimstr($root)):\(.location.position.line + 1): \(.pathComponents | join(".")) has no documentation"
