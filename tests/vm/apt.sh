# SPDX-License-Identifier: MIT
# Sourced after common.sh: a private apt root. Packages are found and verified by apt with this machine's own sources and
# keys, but the lists, the state and the extra suite are ours: /etc/apt and /var/lib/apt stay as they are.

APT_ROOT=
apt_opts=()

# write_sources SUITE FILE-STEM: the machine's Debian archive with its suites; "-" takes them as they are, anything else
# replaces them. Both formats of sources files; entries of the release suite with component main only.
write_sources() {
	perl - "$1" "$2" "$CODENAME" /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources <<'PERL'
use strict; use warnings;
my ($suite, $stem, $codename, @files) = @ARGV;
my $wanted = $suite eq '-' ? qr/^\Q$codename\E(-updates|-security|\/updates)?$/ : qr/^\Q$codename\E$/;
my ($list, $deb822) = ('', '');
for my $file (grep { -r } @files) {
	open my $in, '<', $file or next;
	my $text = do { local $/; <$in> } // '';
	if ($file =~ /\.sources$/) {
		$text =~ s/^#.*\n//mg;
		for my $stanza (split /\n\s*\n/, $text) {
			next if $stanza =~ /^Enabled:\s*(no|false|0)/mi or $stanza !~ /^Types:.*\bdeb\b/mi;
			next unless $stanza =~ /^Components:.*\bmain\b/mi;
			my ($suites) = $stanza =~ /^Suites:((?:.*)(?:\n[ \t].*)*)/mi or next;
			my @keep = grep { $_ =~ $wanted } split ' ', $suites or next;
			@keep = ($suite) if $suite ne '-';
			$stanza =~ s/^Suites:(.*)(\n[ \t].*)*/Suites: @keep/mi;
			$deb822 .= "$stanza\n\n";
		}
		next;
	}
	for (split /\n/, $text) {
		my ($head, $s, $comps) = /^\s*(deb\s+(?:\[[^]]*\]\s+)?\S+)\s+(\S+)\s+(.*)$/ or next;
		next unless $s =~ $wanted and $comps =~ /\bmain\b/;
		$s = $suite if $suite ne '-';
		$list .= "$head $s main\n";
	}
}
for (["$stem.list", $list], ["$stem.sources", $deb822]) {
	open my $out, '>', $_->[0] or die "$_->[0]: $!\n";
	print $out $_->[1];
}
exit($list eq '' && $deb822 eq '');
PERL
}

# apt_root SUITE: make the private root in a temporary folder and fetch its lists. The caller removes $APT_ROOT.
apt_root() {
	CODENAME=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ "$CODENAME" = bookworm ] || die "this needs Debian 12 (bookworm); here is ${CODENAME:-something else}"
	APT_ROOT=$(mktemp -d /var/tmp/tlshd-apt.XXXXXX)
	chmod 755 "$APT_ROOT"		# apt reads and downloads as user _apt
	mkdir -p "$APT_ROOT"/{parts,lists/partial,cache/archives/partial,debs}
	chmod 777 "$APT_ROOT/debs"
	write_sources "$1" "$APT_ROOT/parts/debian" || die "no entry for $CODENAME main in this machine's apt sources"
	apt_opts=(-q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$APT_ROOT/parts"
		-o "Dir::State::lists=$APT_ROOT/lists" -o "Dir::Cache=$APT_ROOT/cache" -o APT::Get::List-Cleanup=0
		-o Acquire::Languages=none -o Acquire::Retries=3)
	apt-get "${apt_opts[@]}" update >"$APT_ROOT/update.log" 2>&1 ||
		say "apt-get update had errors; going on with what it brought"
}

# apt_depends PACKAGE REGEX: the direct dependencies of PACKAGE whose names match
apt_depends() {
	apt-cache "${apt_opts[@]}" depends --important "$1" 2>/dev/null | sed -n 's/^ *|\{0,1\}Depends: //p' | grep -E "$2" | sort -u
}

# apt_fetch PACKAGE...: download into $APT_ROOT/debs; apt verifies each against the signed lists
apt_fetch() {
	(cd "$APT_ROOT/debs" && apt-get "${apt_opts[@]}" download "$@" >"$APT_ROOT/download.log" 2>&1) ||
		{ cat "$APT_ROOT/update.log" "$APT_ROOT/download.log" >&2; die "apt could not download $*"; }
}
