# The first program of a box in namespaces of its own: makes its root folder, installs the enforcer in it as README.md says,
# and becomes systemd. Nothing of it is seen outside, and nothing outside is written.
# $1 the root folder to be, $2 the enforcer's binary, $3 the folder of the unit, $4 and $5 configuration and policy,
# $6 the time that the watchdog waits
root=$1 binary=$2 unit=$3 configuration=$4 policy=$5 watchdog=$6

mkdir "$root"
mount -t tmpfs -o mode=0755 root "$root"
cd "$root"
mkdir usr etc dev proc sys run tmp var over old
for link in bin sbin lib lib64; do
    if [ -e "/$link" ]; then ln -s "usr/$link" "$link"; fi
done
# The machine's own programs, with room for ours beside them.
mount -t tmpfs over over
mkdir over/upper over/work
mount -t overlay -o "lowerdir=/usr,upperdir=$root/over/upper,workdir=$root/over/work" overlay usr

mount -t proc proc proc
# The kernel's settings belong to everybody, but for those of this network namespace.
mkdir over/net
mount --bind proc/sys/net over/net
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind over/net proc/sys/net
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# As systemd mounts it on a machine, but not in what it takes for a container.
mount -t bpf -o mode=0700 bpf sys/fs/bpf
mount -t tmpfs -o mode=0755 run run
mount -t tmpfs -o mode=0755 dev dev
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done

: >usr/sbin/enforcer
mount --bind "$binary" usr/sbin/enforcer
install -m 0644 -D "$unit/enforcer.sysusers" usr/lib/sysusers.d/enforcer.conf
install -m 0644 -D "$unit/enforcer.tmpfiles" usr/lib/tmpfiles.d/enforcer.conf
install -m 0644 -D "$unit/enforcer.service" etc/systemd/system/enforcer.service
systemd-sysusers --root="$root" enforcer.conf
group=$(sed -n 's/^enforcer:[^:]*:\([0-9]*\):.*/\1/p' etc/group)
install -o root -g "$group" -m 0640 -D "$configuration" etc/enforcer/enforcer.toml
install -o root -g "$group" -m 0640 -D "$policy" etc/enforcer/policy.toml
mkdir etc/systemd/system/enforcer.service.d
printf '[Service]\nWatchdogSec=%s\n' "$watchdog" >etc/systemd/system/enforcer.service.d/watchdog.conf
# No sysinit.target: that is about a machine, and changes settings of the kernel.
cat >etc/systemd/system/box.target <<TARGET
[Unit]
Wants=systemd-journald.service systemd-sysusers.service systemd-tmpfiles-setup.service enforcer.service
TARGET

pivot_root . old
cd /
umount -l old
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=box.target --log-target=journal
