# Runs in the guest (bash): kill-measuring.sh MS ARGUMENTS... starts hft verify latency and ends it with SIGKILL so many ms after its
# probe runs; `with`: as soon as its journal says that settings are tried. Prints how many ms later nothing of it is left, and, with
# settings, how many ms before the deadline at which the host takes them back whoever lives; `still there` and what it is after two
# minutes.
when=$1
shift
shopt -s nullglob
old=(/var/lib/hft/journal/*.jsonl)
hft verify latency --probe jitter "$@" > /root/killed.log 2>&1 < /dev/null &
pid=$!
journal=
if [ "$when" = with ]; then
  # The newest run, when all of it is made; the ones of rounds before are taken back.
  while kill -0 $pid 2>/dev/null; do
    files=(/var/lib/hft/journal/*.jsonl)
    if [ "${#files[@]}" -gt "${#old[@]}" ]; then journal=${files[-1]}; fi
    if [ -n "$journal" ] && grep -q '"type":"end","result":"applied"' "$journal" && ! grep -q '"undone"' "$journal"; then break; fi
    sleep 0.05
  done
else
  while kill -0 $pid 2>/dev/null && ! pgrep -f 'hft-probe jitter' > /dev/null; do sleep 0.05; done
  sleep "$(printf '%d.%03d' $((when / 1000)) $((when % 1000)))"
fi
kill -KILL $pid 2>/dev/null || { echo 'ended before it was killed'; cat /root/killed.log; exit 1; }
wait $pid 2>/dev/null
begun=$(date +%s%N)
left() {
  pgrep -a hft-probe
  ls /sys/kernel/tracing/instances
  cat /sys/kernel/tracing/kprobe_events
  if [ -n "$journal" ]; then grep -q '"type":"end","result":"undone"' "$journal" || tail -n 1 "$journal"; fi
}
while [ -n "$(left)" ] && [ $(($(date +%s%N) - begun)) -lt 120000000000 ]; do sleep 0.1; done
if [ -n "$(left)" ]; then
  echo "still there: $(left | tr '\n' ' ')"
  exit 0
fi
ended=$(date +%s%N)
before=
if [ -n "$journal" ]; then
  deadline=$(grep '"confirm-by"' "$journal" | tail -n 1 | sed -n 's/.*"time":"\([^"]*\)".*/\1/p')
  before=", $((($(date -d "$deadline" +%s%N) - ended) / 1000000)) ms before the deadline"
fi
echo "gone after $(((ended - begun) / 1000000)) ms$before"
