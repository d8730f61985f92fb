# Doxygen's input filter: what of a header its readers are shown.
#
# The comment at its head becomes the description of its file. Code in it is indented further than
# prose; four columns and an empty line before it make it code for doxygen's Markdown as well.
# Left out are the namespace around everything, because each page would declare it anew, what is
# internal, and private members.
FNR == 1 { head = 1; code = 0; internal = 0; private = 0; print "/// @file" }
head && /^\/\// {
  text = substr($0, 4)
  if (text ~ /^  /) {
    if (!code) print "///"
    code = 1
    text = "    " text
  } else if (text != "") {
    if (code) print "///"
    code = 0
    gsub(/[\\<>@#]/, "\\\\&", text)
  }
  print "/// " text
  next
}
{ head = 0 }
/^namespace internal \{$/ { internal = 1 }
/^ private:$/ { private = 1 }
/^(\};| public:)$/ { private = 0 }
!internal && !private && !/^(namespace spillway \{|\}  \/\/ namespace spillway)$/
/^\}  \/\/ namespace internal$/ { internal = 0 }
