# Sourced by the scripts here, from the root of the project: how they install what is missing.

fail() {
	printf '%s: %s\n' "$0" "$*" >&2
	exit 1
}

# as_root runs a command as root, or says that it cannot.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		fail "this needs root, and there is no sudo: $*"
	fi
}

apt_updated=
apt_install() {
	{
		flock 9 # two scripts may run at once
		if [ -z "$apt_updated" ]; then
			as_root apt-get update
			apt_updated=yes
		fi
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
	} 9>"${TMPDIR:-/tmp}/dualsql-apt.lock"
}

# install_compiler installs a C compiler, for what the first argument names.
install_compiler() {
	if command -v apt-get >/dev/null; then
		apt_install gcc libc6-dev
	elif [ "$(uname -s)" = Darwin ]; then
		fail "$1 needs a C compiler: run xcode-select --install"
	else
		fail "$1 needs a C compiler: install gcc and the C library's headers"
	fi
}
