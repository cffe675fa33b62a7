# Lists the bounds checks of a C file: first line, last line, the condition without one of its operands, that operand.
# A check is an "if" whose condition compares by <, >, <= or >= and that leaves (return, goto, break, continue) or notes an
# error. What system calls and our own functions return (below zero, errno) is none.

function trim(s) { gsub(/[ \t]+/, " ", s); sub(/^ /, "", s); return s }

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
		head = text
		match(text, /if \(/)
		head = substr(text, 1, RSTART + 3)
		tail = text ~ /\{$/ ? ") {" : ")"
		n = split_or(condition)
		for (i = 1; i <= n; i++) {
			if (part[i] !~ / (<|>|<=|>=) / || part[i] ~ / <=? 0[) ]*$/ || part[i] ~ /errno/)
				continue
			mutated = ""
			for (j = 1; j <= n; j++)
				mutated = mutated (j > 1 ? " || " : "") (j == i ? "(0 && (" trim(part[j]) "))" : trim(part[j]))
			printf "%d\t%d\t%s%s%s\t%s\n", first, last, head, mutated, tail, trim(part[i])
		}
	}
}
