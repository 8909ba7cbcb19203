# In the guest: sh capture.sh < paths: `PATH<tab>TEXT` of every file.
while read -r path; do
  printf '%s\t%s\n' "$path" "$(tr -s '\t ' ' ' < "$path")"
done
