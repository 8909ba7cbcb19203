#!/bin/sh
# As much of systemctl(1) and journalctl(1) as one unit needs, where no systemd runs. What it starts really runs.
# /run/fake/refuse-VERB makes a verb fail. Proves nothing about systemd: the lab does.
state=/run/fake
unit=hft-agent.service
wants=/etc/systemd/system/multi-user.target.wants/$unit
file=/etc/systemd/system/$unit
[ -f $file ] || file=/usr/lib/systemd/system/$unit
if [ "${0##*/}" = journalctl ]; then exec tail -n 1 $state/log; fi
verb=$1
shift
if [ -e $state/refuse-"$verb" ]; then echo "$verb was refused" | tee -a $state/log >&2; exit 1; fi
echo "$verb $*" >> $state/asked
# /run/fake/cut-VERB: the session in which it is asked is lost.
if [ -e $state/cut-"$verb" ]; then
  session=$PPID
  while [ "$(cat /proc/"$session"/comm)" != sshd ]; do
    session=$(sed 's/.*) . \([0-9]*\) .*/\1/' /proc/"$session"/stat)
  done
  kill -9 "$session"
fi
alive() { [ -f $state/pid ] && kill -0 "$(cat $state/pid)" 2>/dev/null; }
stop() { alive && kill "$(cat $state/pid)" && while alive; do sleep 0.1; done; rm -f $state/pid; }
start() {
  command=$(sed -n 's/^ExecStart=//p' $file)
  : > $state/log
  # shellcheck disable=SC2046
  (exec setsid env $(cat /etc/hft/agent.env 2>/dev/null) $command < /dev/null >> $state/log 2>&1) &
  echo $! > $state/pid
  while ! grep -q '"event":"listening"' $state/log; do alive || return 1; sleep 0.1; done
}
case $verb in
  daemon-reload | reset-failed) ;;
  cat) cat $file 2>/dev/null ;;
  enable) mkdir -p "${wants%/*}" && ln -sf $file $wants ;;
  disable) rm -f $wants; case "$*" in *--now*) stop ;; esac; true ;;
  is-enabled) if [ -L $wants ]; then echo enabled; else echo disabled; exit 1; fi ;;
  is-active) if alive; then case "$*" in *--quiet*) ;; *) echo active ;; esac; else echo inactive; exit 3; fi ;;
  restart) stop; start ;;
  stop) stop; true ;;
  *) echo "unknown verb $verb" >&2; exit 1 ;;
esac
