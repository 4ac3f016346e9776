# Shared by the rules: lists of files, and how a breach is told. Each rule prints FILE:LINE: what is wrong, and
# the script ends with `finish`, which fails when anything was printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
BIN=${BIN:-build/bin}
BUILD=${BUILD:-build}
ROOMS="base auction partners ledger market engine console"
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# Files under version control, or all of them where there is none; `files '*.c' '*.h'`.
files() {
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
            [ ! -e "$file" ] || printf '%s\n' "$file"
        done
    else
        local pattern
        for pattern in "$@"; do
            find . \( -path './build*' -o -path '*/node_modules' \) -prune -o \
                \( -name "$pattern" -o -path "./$pattern" \) -type f -print
        done | sed 's|^\./||'
    fi
}

# The product's own C: everything but tests and benchmarks.
product() { files '*.c' '*.h' | grep -Ev '^(tests|bench)/'; }

# Collects breaches from standard input under a rule's name.
breach() { sed "s|\$| [$1]|" >>"$breaches"; }

finish() {
    [ -s "$breaches" ] || { printf 'rules: kept\n'; exit 0; }
    sort -u "$breaches"
    printf 'rules: %s breaches\n' "$(sort -u "$breaches" | wc -l)"
    exit 1
}
