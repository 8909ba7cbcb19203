# Runs in the guest (bash): kill-tune.sh RECORDS TUNE-ARGUMENTS... starts hft tune and ends it with SIGKILL as soon as
# its journal holds so many records; 0: as soon as there is a journal. Prints the records that the journal was left with.
records=$1
shift
shopt -s nullglob
old=(/var/lib/hft/journal/*.jsonl)
hft tune "$@" > /root/killed.log 2>&1 &
pid=$!
files=("${old[@]}")
while [ "${#files[@]}" -eq "${#old[@]}" ] && kill -0 $pid 2>/dev/null; do files=(/var/lib/hft/journal/*.jsonl); done
journal=${files[-1]}
lines=()
while [ "${#lines[@]}" -lt "$records" ] && kill -0 $pid 2>/dev/null; do mapfile -t lines < "$journal"; done
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
mapfile -t lines < "$journal"
echo "${#lines[@]} $(grep -c '"type":"end"' "$journal")"
