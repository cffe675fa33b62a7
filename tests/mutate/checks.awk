# Lists the bounds checks of a C file: number, from nr + 1 on, line, text. With arm=1 prints the file instead, each check
# being left out when its number is taken_away (taken.c).
# A check is an operand of || in the condition of an "if" that leaves (return, goto, break, continue) or notes an error, and
# compares by <, >, <= or >=. What system calls and our own functions return (below zero, errno) is none.

function trim(s) { gsub(/[ \t]+/, " ", s); gsub(/^ | $/, "", s); return s }

# Splits the condition at || outside of parentheses into part[1 ...]; returns how many.
function split_or(s,   i, c, depth, n, from) {
	depth = 0; n = 0; from = 1
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "(") depth++
		else if (c == ")") depth--
		else if (!depth && substr(s, i, 2) == "||") {
			part[++n] = substr(s, from, i - from)
			from = i + 2
			i++
		}
	}
	part[++n] = substr(s, from)
	return n
}

{
	whole[FNR] = $0
	sub(/[ \t]*\/\*[^*]*\*\/$/, "") # a comment behind the code
	line[FNR] = $0
}

END {
	for (first = 1; first <= FNR; first++) {
		if (line[first] !~ /^\t+(\} else )?if \(/)
			continue
		text = line[first]
		for (last = first; text !~ /\)( \{)?$/ && last < first + 6; last++)
			text = text " " line[last + 1]
		follows = line[last + 1]
		if (follows !~ /^\t+(return|goto|break|continue)/ && follows !~ /failed|error_set/)
			continue
		condition = text
		sub(/^\t+(\} else )?if \(/, "", condition)
		sub(/\)( \{)?$/, "", condition)
		n = split_or(condition)
		armed = ""
		for (i = 1; i <= n; i++) {
			if (part[i] ~ / (<|>|<=|>=) / && part[i] !~ / <=? 0[) ]*$/ && part[i] !~ /errno/) {
				nr++
				if (!arm)
					printf "%d\t%d\t%s\n", nr, first, trim(part[i])
				part[i] = "(taken_away != " nr " && (" part[i] "))"
			}
			armed = armed (i > 1 ? "||" : "") part[i]
		}
		for (l = first; l <= last; l++)
			whole[l] = ""
		match(text, /if \(/)
		whole[first] = substr(text, 1, RSTART + 3) armed (text ~ /\{$/ ? ") {" : ")")
	}
	if (arm)
		print "extern int taken_away;"
	for (l = 1; arm && l <= FNR; l++)
		print whole[l]
}
