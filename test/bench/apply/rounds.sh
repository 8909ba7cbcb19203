# Runs where the contenders are: sh rounds.sh ROUNDS CONTENDER...
# Every round runs each contender once, from the same untuned state, and prints `CONTENDER whole|applying NANOSECONDS` or
# `wrong FILE`. applying: of hft what lies between the first record of its journal and the last; of the others how much longer
# it took than the same client with nothing to apply.
# Beside it: `before` and `after` hold one `PATH<tab>TEXT` line per file.
cd "$(dirname "$0")" || exit 1
rounds=$1
shift
tab=$(printf '\t')

reset_all() {
  while IFS=$tab read -r path text; do printf '%s\n' "$text" > "$path"; done < before
}

compare() { # FILE: what differs from it, and nothing when all is as it says
  while IFS=$tab read -r path text; do
    found=$(sed -e 's/.*\[\(.*\)\].*/\1/' -e "s/[ $tab][ $tab]*/ /g" "$path")
    [ "$found" = "$text" ] || printf 'wrong %s: %s, not %s\n' "$path" "$found" "$text"
  done < "$1"
}

run_hft() { hft tune --profile ./part-of-colo.yaml --no-persist --yes > log 2>&1; }
undo_hft() { hft rollback > log.undo 2>&1; }
run_tuned() { tuned-adm profile hft-bench > log 2>&1; }
undo_tuned() { tuned-adm off > log.undo 2>&1; }
run_ansible() { ansible-playbook -i localhost, -c local playbook.yml > log 2>&1; }
undo_ansible() { :; }

idle_tuned() { tuned-adm active > log.idle 2>&1; }
idle_ansible() { ansible-playbook -i localhost, -c local empty.yml > log.idle 2>&1; }

applying() { # CONTENDER NANOSECONDS-IT-TOOK
  if [ "$1" = hft ]; then
    journal=$(ls "${HFT_STATE_DIR:-/var/lib/hft}"/journal/*.jsonl | tail -1)
    echo $(($(date -d "$(stat -c %y "$journal")" +%s%N) - $(date -d "$(stat -c %w "$journal")" +%s%N)))
  else
    start=$(date +%s%N)
    idle_"$1"
    echo $(($2 - $(date +%s%N) + start))
  fi
}

reset_all
round=0
while [ "$round" -lt "$rounds" ]; do
  for contender in "$@"; do
    sync
    start=$(date +%s%N)
    run_"$contender" || { echo "wrong $contender: $(tail -5 log)"; }
    end=$(date +%s%N)
    compare after
    echo "$contender whole $((end - start))"
    echo "$contender applying $(applying "$contender" $((end - start)))"
    undo_"$contender"
    reset_all
    compare before
  done
  round=$((round + 1))
done
