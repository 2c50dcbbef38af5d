/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *    DIR/v1/netdevs, ports, ...   pinned maps, shared by every life of driverdomd
 *          |
 *    open: libbpf adopts them; the programs loaded now use them; arrays are mapped here
 *          |
 *    adopt: BPF_TC_F_REPLACE puts these programs where the earlier ones are, frame by frame either runs
 *          |
 *    apply: words are stored into the arrays, hashes updated, programs attached
 */
#include "dataplane.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "array.h"
#include "bpf/dataplane.skel.h"
#include "libvnet/base/log.h"

/* Ours among the filters of a device. */
enum { TC_HANDLE = 0x7eb, TC_PRIORITY = 7 };
enum { PIN_PATH_SIZE = 512 };

struct dataplane {
	struct dataplane_bpf *skeleton;
	char *dir;  /* DIR/v1, or NULL */
	int dir_fd; /* locked: one driverdomd for one set of tables */
	struct tables tables;
	char *names[TABLE_SEGMENTS];
	bool switched; /* a list was put out of force since the last grace period */
};

struct array_of {
	const char *name;
	size_t offset; /* in struct tables */
	size_t entry_size;
	size_t n;
};

static const struct array_of arrays[] = {
	{ "about", offsetof(struct tables, about), sizeof(struct about_entry), 1 },
	{ "uplinks", offsetof(struct tables, uplinks), sizeof(struct uplink_entry), TABLE_UPLINKS },
	{ "hosts", offsetof(struct tables, hosts), sizeof(struct host_entry), TABLE_HOSTS },
	{ "ports", offsetof(struct tables, ports), sizeof(struct port_entry), TABLE_PORTS },
	{ "segments", offsetof(struct tables, segments), sizeof(struct segment_entry), TABLE_SEGMENTS },
};

static void **array_in(struct tables *tables, const struct array_of *array)
{
	return (void **)((char *)tables + array->offset);
}

static size_t array_bytes(const struct array_of *array)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (array->entry_size * array->n + page - 1) / page * page;
}

static int map_array(struct tables *tables, const struct array_of *array, int fd, int protection)
{
	void *start = mmap(NULL, array_bytes(array), protection, MAP_SHARED, fd, 0);

	if (start == MAP_FAILED)
		return -errno;
	*array_in(tables, array) = start;
	return 0;
}

static void unmap_arrays(struct tables *tables)
{
	for (size_t i = 0; i < N_ELEMENTS(arrays); i++)
		if (*array_in(tables, &arrays[i]))
			munmap(*array_in(tables, &arrays[i]), array_bytes(&arrays[i]));
}

/* --- the directory of pins --- */

static bool is_bpffs(const char *dir)
{
	struct statfs about;

	return statfs(dir, &about) == 0 && about.f_type == BPF_FS_MAGIC;
}

static int make_dirs(const char *dir)
{
	char part[PIN_PATH_SIZE];

	if (snprintf(part, sizeof part, "%s", dir) >= (int)sizeof part)
		return -ENAMETOOLONG;
	for (char *c = part + 1;; c++) {
		if (*c && *c != '/')
			continue;
		char old = *c;
		*c = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		if (!old)
			return 0;
		*c = old;
	}
}

/* Mounts a BPF file system where `dir` would be on none: on the usual place, or on `dir` itself. */
static int prepare_dir(const char *dir, struct problem *problem)
{
	static const char usual[] = "/sys/fs/bpf";

	if (strncmp(dir, usual, sizeof usual - 1) == 0 && strchr("/", dir[sizeof usual - 1]) && !is_bpffs(usual) && mount("bpf", usual, "bpf", 0, "mode=0700") < 0)
		return problem_set(problem, -errno, "pins: no BPF file system can be mounted on %s: %s; run as root", usual,
				   strerror(errno));
	int r = make_dirs(dir);
	if (r < 0)
		return problem_set(problem, r, "pins: %s cannot be made: %s", dir, strerror(-r));
	if (!is_bpffs(dir) && mount("bpf", dir, "bpf", 0, "mode=0700") < 0)
		return problem_set(problem, -errno, "pins: no BPF file system can be mounted on %s: %s; run as root", dir,
				   strerror(errno));
	return 0;
}

/* --- loading --- */

static char last_complaint[256];

static int __attribute__((format(printf, 2, 0))) on_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN) {
		vsnprintf(last_complaint, sizeof last_complaint, format, args);
		log_debug("%s", last_complaint);
	}
	return 0;
}

static int pin_maps(struct dataplane *dataplane)
{
	struct bpf_map *map;
	char path[PIN_PATH_SIZE];

	bpf_object__for_each_map(map, dataplane->skeleton->obj) {
		if (bpf_map__is_internal(map))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", dataplane->dir, bpf_map__name(map)) >= (int)sizeof path)
			return -ENAMETOOLONG;
		int r = bpf_map__set_pin_path(map, path);
		if (r < 0)
			return r;
	}
	return 0;
}

static int lock_dir(struct dataplane *dataplane, const char *pin_dir, struct problem *problem)
{
	if (asprintf(&dataplane->dir, "%s/v%d", pin_dir, TABLES_VERSION) < 0)
		return problem_set(problem, -ENOMEM, "pins: no memory");
	int r = prepare_dir(pin_dir, problem);
	if (r < 0)
		return r;
	if (mkdir(dataplane->dir, 0700) < 0 && errno != EEXIST)
		return problem_set(problem, -errno, "pins: %s cannot be made: %s", dataplane->dir, strerror(errno));
	dataplane->dir_fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dataplane->dir_fd < 0)
		return problem_set(problem, -errno, "pins: %s cannot be opened: %s", pin_dir, strerror(errno));
	if (flock(dataplane->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return problem_set(problem, -EBUSY, "pins: another driverdomd uses %s; stop it, or give this one its own --pin", pin_dir);
	return 0;
}

static int load(struct dataplane *dataplane, struct problem *problem)
{
	libbpf_set_print(on_libbpf);
	dataplane->skeleton = dataplane_bpf__open();
	if (!dataplane->skeleton)
		return problem_set(problem, -errno, "BPF programs: %s; this driverdomd is damaged, install it again", strerror(errno));
	int r = dataplane->dir ? pin_maps(dataplane) : 0;
	if (r == 0)
		r = dataplane_bpf__load(dataplane->skeleton);
	if (r < 0)
		return problem_set(problem, r, "BPF programs: the kernel does not take them: %s (%.200s); Linux 6.1 or later with BPF is "
				   "needed, and tables of another build go away with driverdomd --clear", strerror(-r), last_complaint);
	return 0;
}

static int add_stats(int fd, uint32_t vn_id)
{
	size_t size = (size_t)libbpf_num_possible_cpus() * sizeof(struct segment_stats);
	AUTO(free) void *zeros = calloc(1, size);

	if (!zeros)
		return -ENOMEM;
	int r = bpf_map_update_elem(fd, &vn_id, zeros, BPF_NOEXIST);
	return r == -EEXIST ? 0 : r;
}

static int read_names(struct dataplane *dataplane)
{
	int fd = bpf_map__fd(dataplane->skeleton->maps.names);
	char name[SEGMENT_NAME_SIZE];
	uint32_t vn_id, *last = NULL;

	while (bpf_map_get_next_key(fd, last, &vn_id) == 0) {
		last = &vn_id;
		if (vn_id >= TABLE_SEGMENTS || bpf_map_lookup_elem(fd, &vn_id, name) < 0)
			continue;
		name[sizeof name - 1] = '\0';
		dataplane->names[vn_id] = strdup(name);
		if (!dataplane->names[vn_id])
			return -ENOMEM;
	}
	return 0;
}

static int map_arrays(struct dataplane *dataplane)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_ELEMENTS(arrays); i++)
		r = map_array(&dataplane->tables, &arrays[i],
			      bpf_object__find_map_fd_by_name(dataplane->skeleton->obj, arrays[i].name), PROT_READ | PROT_WRITE);
	return r;
}

static void remove_pins(const struct dataplane *dataplane)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, dataplane->skeleton->obj)
		if (bpf_map__pin_path(map))
			bpf_map__unpin(map, NULL);
}

static uint64_t netns_cookie(void)
{
	AUTO(close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t size = sizeof cookie;

	if (fd >= 0)
		getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size);
	return cookie;
}

static void unload(struct dataplane *dataplane)
{
	unmap_arrays(&dataplane->tables);
	dataplane_bpf__destroy(dataplane->skeleton);
	memset(&dataplane->tables, 0, sizeof dataplane->tables);
	dataplane->skeleton = NULL;
}

static int load_tables(struct dataplane *dataplane, struct problem *problem)
{
	int r = load(dataplane, problem);

	if (r < 0)
		return r;
	r = map_arrays(dataplane);
	return r < 0 ? problem_set(problem, r, "data plane: the tables cannot be mapped: %s", strerror(-r)) : 0;
}

int dataplane_open(const char *pin_dir, struct dataplane **dataplane_out, struct problem *problem)
{
	AUTO(dataplane_close) struct dataplane *dataplane = calloc(1, sizeof *dataplane);
	uint64_t cookie = netns_cookie();

	if (!dataplane)
		return problem_set(problem, -ENOMEM, "data plane: no memory");
	dataplane->dir_fd = -1;
	int r = pin_dir ? lock_dir(dataplane, pin_dir, problem) : 0;
	if (r == 0)
		r = load_tables(dataplane, problem);
	if (r == 0 && dataplane->tables.about->netns_cookie && dataplane->tables.about->netns_cookie != cookie) {
		log_info("data plane: the tables in %s are of a network namespace that was here before; they are made anew", pin_dir);
		remove_pins(dataplane);
		unload(dataplane);
		r = load_tables(dataplane, problem);
	}
	if (r < 0)
		return r;
	dataplane->tables.about->netns_cookie = cookie;
	r = add_stats(dataplane_stats_fd(dataplane), 0);
	if (r == 0)
		r = read_names(dataplane);
	if (r < 0)
		return problem_set(problem, r, "data plane: the tables cannot be read: %s", strerror(-r));
	*dataplane_out = take(dataplane);
	return 0;
}

void dataplane_close(struct dataplane *dataplane)
{
	if (!dataplane)
		return;
	unload(dataplane);
	auto_close(&dataplane->dir_fd);
	for (size_t i = 0; i < TABLE_SEGMENTS; i++)
		free(dataplane->names[i]);
	free(dataplane->dir);
	free(dataplane);
}

const struct tables *dataplane_tables(const struct dataplane *dataplane)
{
	return &dataplane->tables;
}

const char *const *dataplane_holders(const struct dataplane *dataplane)
{
	return (const char *const *)dataplane->names;
}

int dataplane_out_fd(const struct dataplane *dataplane)
{
	return bpf_program__fd(dataplane->skeleton->progs.xebra_out);
}

int dataplane_in_fd(const struct dataplane *dataplane)
{
	return bpf_program__fd(dataplane->skeleton->progs.xebra_in);
}

int dataplane_stats_fd(const struct dataplane *dataplane)
{
	return bpf_map__fd(dataplane->skeleton->maps.stats);
}

/* --- programs on devices --- */

static int attach(uint32_t ifindex, int program_fd, struct problem *problem)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = TC_HANDLE, .priority = TC_PRIORITY, .prog_fd = program_fd,
		    .flags = BPF_TC_F_REPLACE);

	int r = bpf_tc_hook_create(&hook);
	if (r == 0 || r == -EEXIST)
		r = bpf_tc_attach(&hook, &filter);
	return r < 0 ? problem_set(problem, r, "device %u: no BPF program can be attached: %s", ifindex, strerror(-r)) : 0;
}

/* `whole`: the queueing discipline goes too, the device is ours alone. */
static void detach(uint32_t ifindex, bool whole)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, filter, .handle = TC_HANDLE, .priority = TC_PRIORITY);

	bpf_tc_detach(&hook, &filter);
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	if (whole)
		bpf_tc_hook_destroy(&hook);
}

int dataplane_adopt(struct dataplane *dataplane)
{
	int result = 0;

	for (size_t i = 0; i < TABLE_PORTS; i++) {
		uint64_t where = dataplane->tables.ports[i].where;
		int r = where ? attach(port_ifindex(where), dataplane_out_fd(dataplane), NULL) : 0;
		result = result ? result : r;
	}
	for (size_t i = 0; i < TABLE_UPLINKS; i++) {
		const struct uplink_entry *uplink = &dataplane->tables.uplinks[i];
		int r = uplink->flags & UPLINK_USED ? attach(uplink->ifindex, dataplane_in_fd(dataplane), NULL) : 0;
		result = result ? result : r;
	}
	return result;
}

/* --- changes --- */

static void store(__u64 *word, __u64 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Returns when every program that runs now has ended: programs run inside RCU read-side sections. */
static void grace(struct dataplane *dataplane)
{
	enum { LONG_ENOUGH_US = 100000 };

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		usleep(LONG_ENOUGH_US); /* a nohz_full kernel refuses */
	dataplane->switched = false;
}

void dataplane_begin(struct dataplane *dataplane)
{
	if (dataplane->switched)
		grace(dataplane);
}

static int set_netdev(struct dataplane *dataplane, uint32_t ifindex, uint32_t value)
{
	return bpf_map_update_elem(bpf_map__fd(dataplane->skeleton->maps.netdevs), &ifindex, &value, BPF_ANY);
}

static void forget_netdev(struct dataplane *dataplane, uint32_t ifindex)
{
	bpf_map_delete_elem(bpf_map__fd(dataplane->skeleton->maps.netdevs), &ifindex);
}

static int clear_uplink(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct uplink_entry *uplink = &dataplane->tables.uplinks[change->slot];

	(void)problem;
	detach(uplink->ifindex, false);
	forget_netdev(dataplane, uplink->ifindex);
	memset(uplink, 0, sizeof *uplink);
	return 0;
}

static int set_uplink(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	dataplane->tables.uplinks[change->slot] = change->uplink;
	int r = set_netdev(dataplane, change->uplink.ifindex, NETDEV_UPLINK | change->slot);
	if (r < 0)
		problem_set(problem, r, "uplinks: the table is not written: %s", strerror(-r));
	else
		r = attach(change->uplink.ifindex, dataplane_in_fd(dataplane), problem);
	if (r < 0)
		clear_uplink(dataplane, change, NULL);
	return r;
}

static int set_host(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	dataplane->tables.hosts[change->slot] = change->host;
	int r = bpf_map_update_elem(bpf_map__fd(dataplane->skeleton->maps.host_slots), &change->host.address, &change->slot, BPF_ANY);
	return r < 0 ? problem_set(problem, r, "hosts: the table is not written: %s", strerror(-r)) : 0;
}

static int clear_host(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct host_entry *host = &dataplane->tables.hosts[change->slot];

	(void)problem;
	bpf_map_delete_elem(bpf_map__fd(dataplane->skeleton->maps.host_slots), &host->address);
	host->flags = 0;
	return 0;
}

static int clear_port(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct port_entry *port = &dataplane->tables.ports[change->slot];
	uint32_t ifindex = port_ifindex(port->where);

	(void)problem;
	forget_netdev(dataplane, ifindex);
	store(&port->where, 0);
	store(&port->guard, 0);
	detach(ifindex, true);
	return 0;
}

static int set_port(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct port_entry *port = &dataplane->tables.ports[change->slot];
	uint32_t ifindex = port_ifindex(change->port.where);

	store(&port->guard, change->port.guard);
	store(&port->where, change->port.where);
	int r = set_netdev(dataplane, ifindex, NETDEV_PORT | change->slot);
	if (r < 0)
		problem_set(problem, r, "ports: the table is not written: %s", strerror(-r));
	else
		r = attach(ifindex, dataplane_out_fd(dataplane), problem);
	if (r < 0)
		clear_port(dataplane, change, NULL);
	return r;
}

static int set_name(struct dataplane *dataplane, uint32_t vn_id, const char *name)
{
	char value[SEGMENT_NAME_SIZE] = "";
	char **own = &dataplane->names[vn_id];

	if (*own && strcmp(*own, name) == 0)
		return 0;
	snprintf(value, sizeof value, "%s", name);
	char *copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*own);
	*own = copy;
	return bpf_map_update_elem(bpf_map__fd(dataplane->skeleton->maps.names), &vn_id, value, BPF_ANY);
}

static int set_segment(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct segment_entry *segment = &dataplane->tables.segments[change->slot];
	unsigned other = !segment_list_index(segment->head);

	int r = set_name(dataplane, change->slot, change->segment.name);
	if (r == 0)
		r = add_stats(dataplane_stats_fd(dataplane), change->slot);
	if (r < 0)
		return problem_set(problem, r, "segment %s: the table is not written: %s", change->segment.name, strerror(-r));
	segment->lists[other] = *change->members;
	store(&segment->head, change->segment.head | segment_head(0, other, 0, 0, 0));
	dataplane->switched = true;
	return 0;
}

static int clear_segment(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	struct segment_entry *segment = &dataplane->tables.segments[change->slot];
	uint32_t vn_id = change->slot;

	(void)problem;
	store(&segment->head, segment->head & segment_head(0, 1, 0, 0, 0));
	dataplane->switched = true;
	bpf_map_delete_elem(bpf_map__fd(dataplane->skeleton->maps.names), &vn_id);
	bpf_map_delete_elem(dataplane_stats_fd(dataplane), &vn_id);
	free(take(dataplane->names[vn_id]));
	return 0;
}

static int wait_grace(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	(void)change;
	(void)problem;
	grace(dataplane);
	return 0;
}

int dataplane_apply(struct dataplane *dataplane, const struct change *change, struct problem *problem)
{
	static int (*const appliers[])(struct dataplane *, const struct change *, struct problem *) = {
		[CHANGE_SET_UPLINK] = set_uplink,     [CHANGE_CLEAR_UPLINK] = clear_uplink,
		[CHANGE_SET_HOST] = set_host,         [CHANGE_CLEAR_HOST] = clear_host,
		[CHANGE_SET_PORT] = set_port,         [CHANGE_CLEAR_PORT] = clear_port,
		[CHANGE_SET_SEGMENT] = set_segment,   [CHANGE_CLEAR_SEGMENT] = clear_segment,
		[CHANGE_GRACE] = wait_grace,
	};

	return appliers[change->kind](dataplane, change, problem);
}

void dataplane_clear(struct dataplane *dataplane, void (*stop)(void *arg, uint32_t ifindex), void *arg)
{
	for (uint32_t slot = 0; slot < TABLE_PORTS; slot++) {
		uint64_t where = dataplane->tables.ports[slot].where;
		if (!where)
			continue;
		stop(arg, port_ifindex(where));
		clear_port(dataplane, &(struct change){ .slot = slot }, NULL);
	}
	for (uint32_t slot = 0; slot < TABLE_UPLINKS; slot++)
		if (dataplane->tables.uplinks[slot].flags & UPLINK_USED)
			clear_uplink(dataplane, &(struct change){ .slot = slot }, NULL);
	remove_pins(dataplane);
	if (dataplane->dir)
		rmdir(dataplane->dir);
}

/* --- reading --- */

int stats_read(int stats_fd, uint32_t vn_id, struct segment_stats *stats_out)
{
	size_t n_cpus = libbpf_num_possible_cpus();
	AUTO(free) struct segment_stats *each = calloc(n_cpus, sizeof *each);

	if (!each)
		return -ENOMEM;
	int r = bpf_map_lookup_elem(stats_fd, &vn_id, each);
	if (r < 0)
		return r;
	memset(stats_out, 0, sizeof *stats_out);
	for (size_t cpu = 0; cpu < n_cpus; cpu++)
		for (size_t i = 0; i < sizeof *stats_out / sizeof(uint64_t); i++)
			((uint64_t *)stats_out)[i] += ((const uint64_t *)&each[cpu])[i];
	return 0;
}

struct pinned {
	struct tables tables;
	int names_fd;
	int stats_fd;
};

static int open_pin(const char *pin_dir, const char *name)
{
	char path[PIN_PATH_SIZE];

	if (snprintf(path, sizeof path, "%s/v%d/%s", pin_dir, TABLES_VERSION, name) >= (int)sizeof path)
		return -ENAMETOOLONG;
	return bpf_obj_get(path);
}

static int map_pins(struct pinned *pinned, const char *pin_dir)
{
	for (size_t i = 0; i < N_ELEMENTS(arrays); i++) {
		AUTO(close) int fd = open_pin(pin_dir, arrays[i].name);
		int r = fd < 0 ? fd : map_array(&pinned->tables, &arrays[i], fd, PROT_READ);
		if (r < 0)
			return r;
	}
	pinned->names_fd = open_pin(pin_dir, "names");
	pinned->stats_fd = open_pin(pin_dir, "stats");
	return pinned->names_fd < 0 ? pinned->names_fd : pinned->stats_fd < 0 ? pinned->stats_fd : 0;
}

int pinned_open(const char *pin_dir, struct pinned **pinned_out, struct problem *problem)
{
	AUTO(pinned_close) struct pinned *pinned = calloc(1, sizeof *pinned);

	libbpf_set_print(on_libbpf);
	if (!pinned)
		return problem_set(problem, -ENOMEM, "data plane: no memory");
	pinned->names_fd = pinned->stats_fd = -1;
	int r = map_pins(pinned, pin_dir);
	if (r == -ENOENT)
		return problem_set(problem, r, "data plane: no tables in %s/v%d; start driverdomd, or name its directory with --pin",
				   pin_dir, TABLES_VERSION);
	if (r < 0)
		return problem_set(problem, r, "data plane: the tables in %s/v%d cannot be read: %s; run as root", pin_dir,
				   TABLES_VERSION, strerror(-r));
	*pinned_out = take(pinned);
	return 0;
}

void pinned_close(struct pinned *pinned)
{
	if (!pinned)
		return;
	unmap_arrays(&pinned->tables);
	auto_close(&pinned->names_fd);
	auto_close(&pinned->stats_fd);
	free(pinned);
}

const struct tables *pinned_tables(const struct pinned *pinned)
{
	return &pinned->tables;
}

int pinned_name(const struct pinned *pinned, uint32_t vn_id, char name_out[SEGMENT_NAME_SIZE])
{
	int r = bpf_map_lookup_elem(pinned->names_fd, &vn_id, name_out);

	if (r == 0)
		name_out[SEGMENT_NAME_SIZE - 1] = '\0';
	return r;
}

int pinned_stats(const struct pinned *pinned, uint32_t vn_id, struct segment_stats *stats_out)
{
	return stats_read(pinned->stats_fd, vn_id, stats_out);
}
