#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Makes sure that the Debian packages of the named groups are installed: says which are missing, installs them when it may (root, or sudo
# without a password), otherwise prints the command to run and fails. Silent and quick when there is nothing to do. Other distributions
# are not supported: there it only lists what is needed.

group() {
	case $1 in
	build) echo g++-12 gcc-12 make kmod libc6-dev binutils python3 linux-headers-amd64 linux-headers-6.12-amd64 ;;
	tools) echo g++ gcc libc6-dev libmnl-dev libcli11-dev nlohmann-json3-dev libfmt-dev clang bpftool libbpf-dev libelf-dev zlib1g-dev ;;
	unit) echo g++ libc6-dev libgtest-dev ;;
	stress) echo g++ libc6-dev libgtest-dev liburcu-dev ;;
	bench-tables) echo libbenchmark-dev ;;
	sim) echo gnuplot-nox tcpdump ;;
	vm) echo qemu-system-x86 python3 python3-yaml kmod gcc libc6-dev procps iproute2 nftables nginx-light curl tcpdump ethtool util-linux gnuplot-nox ;;
	debug-kernel) echo linux-source-6.12 gcc-12 gcc libc6-dev make flex bison bc libelf-dev libssl-dev xz-utils cpio perl python3 binutils ;;
	fuzz) echo clang libclang-rt-14-dev libstdc++-12-dev ;;
	check) echo sparse cppcheck clang-format python3 binutils gcc g++ git ;;
	ynl) echo linux-source-6.12 python3 python3-yaml python3-jsonschema xz-utils ;;
	gen) echo python3 python3-yaml g++ libc6-dev ;;
	demo) echo nginx-light curl iproute2 tcpdump ethtool procps python3 ;;
	bench) echo iproute2 procps python3 gcc libc6-dev ;;
	apps) echo nginx-light curl wrk redis-server redis-tools postgresql memcached libmemcached-tools haproxy openssh-server openssh-client \
		openssl iperf3 rsync socat python3 python3-requests nodejs stress-ng caddy hey iproute2 util-linux ;;
	*) echo "deps.sh: unknown group $1 (build tools unit stress bench-tables sim vm debug-kernel fuzz check gen ynl demo bench apps)" >&2; exit 2 ;;
	esac
}

want=
for g; do
	list=$(group "$g") || exit 2
	want="$want $list"
done

missing=
for p in $(printf '%s\n' $want | sort -u); do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
[ -z "$missing" ] && exit 0

install="apt-get install -y --no-install-recommends$missing"
echo "deps: missing Debian packages:$missing" >&2
if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here; install the equivalents of the packages above" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	run=
elif sudo -n true 2>/dev/null; then
	run="sudo -n"
else
	echo "deps: neither root nor sudo; please run: $install" >&2
	exit 1
fi
for p in $missing; do
	apt-cache policy "$p" 2>/dev/null | grep -q 'Candidate: [^(]' || { $run apt-get -q update >&2; break; }
done
# Services that a package would start are not wanted here: they would take ports of the host. Without systemd RUNLEVEL=1 is enough;
# both ways ask policy-rc.d. Nor is a database: PostgreSQL's package makes one unless told otherwise. Both only until the end.
mine=
keep_out() { # FILE CONTENT MODE
	[ ! -e "$1" ] && $run sh -c 'mkdir -p "${1%/*}" && printf "%b" "$2" >"$1" && chmod "$3" "$1"' sh "$1" "$2" "$3" && mine="$mine $1"
}
trap '[ -z "$mine" ] || $run rm -f $mine' EXIT
trap 'exit 1' HUP INT TERM
keep_out /usr/sbin/policy-rc.d '#!/bin/sh\nexit 101\n' 755
case $missing in
*postgresql*) keep_out /etc/postgresql-common/createcluster.d/atcp.conf 'create_main_cluster = false\n' 644 ;;
esac
$run env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 $install >&2 || { echo "deps: failed: $install" >&2; exit 1; }
