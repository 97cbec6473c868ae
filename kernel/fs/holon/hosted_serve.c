// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hosted files, at their host: what is asked of a description that is open here.
 *
 * Who asks, its user, is the kernel of the home of those that had the description open
 * here: it has checked what they may do. The file is used with the credentials of who
 * opened it, and only as it was opened; its attributes are changed with those of the caller.
 *
 * Nothing waits here, neither for the position while somebody moves it, who may have to
 * wait for the user's node himself, nor for a lock: the user asks again. POSIX locks belong
 * to processes of the user's node, which are told apart by a number of theirs: with the
 * node's own number it makes an owner that no address is equal to.
 */
#include <linux/bits.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "../../kernel/holon/task.h"
#include "export.h"
#include "hosted.h"

/* Addresses of the kernel have their lowest bit clear, and those above the 48th set. */
#define OWNER_BITS	48
#define OWNER_FOREIGN	1UL

static int hosted_read_handler(struct holon_request *request);
static int hosted_write_handler(struct holon_request *request);
static int hosted_call_handler(struct holon_request *request);
static int hosted_open_handler(struct holon_request *request);
static int hosted_stat_handler(struct holon_request *request);
static int hosted_change_handler(struct holon_request *request);
static int hosted_lock_handler(struct holon_request *request);
static void hosted_lock_orphan(u8 node, int status, const void *data, size_t len);
static int hosted_unlock_handler(struct holon_request *request);

HOLON_RPC(hosted_read, HOLON_RPC_ID_HOSTED_READ, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_read), hosted_read_handler);
HOLON_RPC(hosted_write, HOLON_RPC_ID_HOSTED_WRITE, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_write), hosted_write_handler);
HOLON_RPC(hosted_call, HOLON_RPC_ID_HOSTED_CALL, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_call), hosted_call_handler);
HOLON_RPC(hosted_open, HOLON_RPC_ID_HOSTED_OPEN, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_open), hosted_open_handler, .orphan = holon_export_orphan);
HOLON_RPC(hosted_stat, HOLON_RPC_ID_HOSTED_STAT, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_stat), hosted_stat_handler);
HOLON_RPC(hosted_change, HOLON_RPC_ID_HOSTED_CHANGE, HOLON_REQ,
	  HOLON_RPC_LONG | HOLON_RPC_CREDS, sizeof(struct wire_hosted_change),
	  hosted_change_handler);
HOLON_RPC(hosted_lock, HOLON_RPC_ID_HOSTED_LOCK, HOLON_REQ, HOLON_RPC_LONG,
	  sizeof(struct wire_hosted_lock), hosted_lock_handler, .orphan = hosted_lock_orphan);
HOLON_RPC(hosted_unlock, HOLON_RPC_ID_HOSTED_UNLOCK, HOLON_REQ, HOLON_RPC_ONEWAY,
	  sizeof(struct wire_hosted_lock), hosted_unlock_handler);

/* The file that a message is about, with a reference; or NULL. */
static struct file *hosted_of(const struct holon_request *request)
{
	const struct wire_hosted *file = request->data;

	return holon_export_asked(HOLON_EXPORT_HOSTED, request, file->id, file->incarnation);
}

static int reply_number(struct holon_request *request, s64 value)
{
	__le64 number = cpu_to_le64(value);

	return holon_reply_data(request, &number, sizeof(number));
}

/* --- bytes -------------------------------------------------------------------- */

/* Whoever moves the position of the description does that alone. */
static int begin_at(struct file *file, s64 where, loff_t *pos)
{
	*pos = where;
	if (where != HOSTED_HERE)
		return 0;
	if (!mutex_trylock(&file->f_pos_lock))
		return -EAGAIN;
	*pos = file->f_pos;
	return 0;
}

static void end_at(struct file *file, s64 where, loff_t pos)
{
	if (where != HOSTED_HERE)
		return;
	file->f_pos = pos;
	mutex_unlock(&file->f_pos_lock);
}

static bool position_is_valid(s64 pos, size_t len)
{
	return pos == HOSTED_HERE || (pos >= 0 && pos <= MAX_LFS_FILESIZE - (loff_t)len);
}

/* The bytes are in memory of the kernel, at any address. */
static void begin_io(struct kiocb *iocb, struct file *file, loff_t pos)
{
	init_sync_kiocb(iocb, file);
	iocb->ki_flags &= ~IOCB_DIRECT;
	iocb->ki_pos = pos;
}

static ssize_t read_some(struct file *file, void *data, size_t len, loff_t *pos)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t got;

	begin_io(&iocb, file, *pos);
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);
	got = vfs_iocb_iter_read(file, &iocb, &iter);
	if (got > 0)
		*pos = iocb.ki_pos;
	return got;
}

/* Return: as read(). */
static ssize_t read_whole(struct file *file, void *data, size_t len, loff_t *pos)
{
	size_t done = 0;
	ssize_t got = 0;

	while (done < len) {
		got = read_some(file, data + done, len - done, pos);
		if (got <= 0)
			break;
		done += got;
	}
	return done ?: got;
}

/* What the user does not get has not been read. */
static int read_reply(struct holon_request *request, struct file *file, void *data, size_t len,
		      s64 where)
{
	loff_t pos, begin;
	ssize_t got;
	int err;

	err = begin_at(file, where, &pos);
	if (err)
		return err;
	begin = pos;
	got = read_whole(file, data, len, &pos);
	err = got < 0 ? got : holon_reply_data(request, data, got);
	end_at(file, where, err ? begin : pos);
	return err;
}

static int hosted_read_handler(struct holon_request *request)
{
	const struct wire_hosted_read *msg = request->data;
	size_t len = le32_to_cpu(msg->len);
	s64 where = le64_to_cpu(msg->pos);
	const struct cred *old;
	struct file *file;
	void *data;
	int err;

	if (!len || len > HOSTED_DATA_MAX || !position_is_valid(where, len))
		return -EBADMSG;
	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	data = kvmalloc(len, GFP_KERNEL);
	old = override_creds(file->f_cred);
	err = data ? read_reply(request, file, data, len, where) : -ENOMEM;
	revert_creds(old);
	kvfree(data);
	fput(file);
	return err;
}

static void write_flags(struct kiocb *iocb, u32 flags)
{
	iocb->ki_flags &= ~(IOCB_APPEND | IOCB_DSYNC | IOCB_SYNC);
	if (flags & HOSTED_WRITE_APPEND)
		iocb->ki_flags |= IOCB_APPEND;
	if (flags & HOSTED_WRITE_DSYNC)
		iocb->ki_flags |= IOCB_DSYNC;
	if (flags & HOSTED_WRITE_SYNC)
		iocb->ki_flags |= IOCB_SYNC;
}

/* @len bytes, or as many as @limit allows. Return: as write(). */
static ssize_t write_limited(struct file *file, const void *data, size_t len, loff_t *pos,
			     u64 limit, u32 flags)
{
	struct kvec vec = { .iov_base = (void *)data };
	struct iov_iter iter;
	struct kiocb iocb;
	loff_t begin;
	ssize_t ret;

	begin_io(&iocb, file, *pos);
	write_flags(&iocb, flags);
	begin = iocb.ki_flags & IOCB_APPEND ? i_size_read(file_inode(file)) : *pos;
	if (limit <= begin && len)
		return -EFBIG;
	vec.iov_len = min_t(u64, len, limit - begin);
	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	ret = vfs_iocb_iter_write(file, &iocb, &iter);
	if (ret > 0)
		*pos = iocb.ki_pos;
	return ret;
}

static int hosted_write_handler(struct holon_request *request)
{
	const struct wire_hosted_write *msg = request->data;
	size_t len = request->len - sizeof(*msg);
	s64 where = le64_to_cpu(msg->pos);
	const struct cred *old;
	struct file *file;
	ssize_t done;
	loff_t pos;

	if (len > HOSTED_DATA_MAX || !position_is_valid(where, len))
		return -EBADMSG;
	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	old = override_creds(file->f_cred);
	done = begin_at(file, where, &pos);
	if (!done) {
		done = write_limited(file, msg + 1, len, &pos, le64_to_cpu(msg->limit),
				     le32_to_cpu(msg->flags));
		end_at(file, where, pos);
	}
	revert_creds(old);
	fput(file);
	return done < 0 ? done : reply_number(request, done);
}

/* --- calls -------------------------------------------------------------------- */

static s64 seek(struct file *file, loff_t offset, unsigned int whence)
{
	loff_t pos;

	if (whence > SEEK_MAX)
		return -EINVAL;
	if (!mutex_trylock(&file->f_pos_lock))
		return -EAGAIN;
	pos = vfs_llseek(file, offset, whence);
	mutex_unlock(&file->f_pos_lock);
	return pos;
}

static s64 call(struct file *file, u32 op, const s64 arg[3])
{
	switch (op) {
	case HOSTED_SEEK:
		return seek(file, arg[0], arg[1]);
	case HOSTED_SYNC:
		return vfs_fsync_range(file, arg[0], arg[1], arg[2]);
	case HOSTED_ALLOCATE:
		return vfs_fallocate(file, arg[0], arg[1], arg[2]);
	case HOSTED_FLUSH:
		return file->f_op->flush ? file->f_op->flush(file, NULL) : 0;
	default:
		return -EBADMSG;
	}
}

static int hosted_call_handler(struct holon_request *request)
{
	const struct wire_hosted_call *msg = request->data;
	const s64 arg[3] = {
		le64_to_cpu(msg->arg[0]), le64_to_cpu(msg->arg[1]), le64_to_cpu(msg->arg[2]),
	};
	const struct cred *old;
	struct file *file;
	s64 result;

	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	old = override_creds(file->f_cred);
	result = call(file, le32_to_cpu(msg->op), arg);
	revert_creds(old);
	fput(file);
	return result < 0 ? result : reply_number(request, result);
}

static int hosted_open_handler(struct holon_request *request)
{
	const struct wire_hosted_open *msg = request->data;
	struct file *file, *again;

	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	again = dentry_open(&file->f_path, le32_to_cpu(msg->flags) & HOSTED_FLAGS, file->f_cred);
	fput(file);
	if (IS_ERR(again))
		return PTR_ERR(again);
	return holon_export_give(HOLON_EXPORT_HOSTED, request, again, msg->file.incarnation);
}

/* --- attributes ---------------------------------------------------------------- */

static int hosted_stat_handler(struct holon_request *request)
{
	const struct wire_hosted_stat *msg = request->data;
	struct wire_hosted_attributes attributes;
	const struct cred *old;
	struct file *file;
	struct kstat stat;
	int err;

	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	old = override_creds(file->f_cred);
	err = vfs_getattr(&file->f_path, &stat, le32_to_cpu(msg->mask),
			  le32_to_cpu(msg->flags) & AT_STATX_SYNC_TYPE);
	revert_creds(old);
	fput(file);
	if (err)
		return err;
	attributes = (struct wire_hosted_attributes){
		.mask = cpu_to_le32(stat.result_mask),
		.mode = cpu_to_le32(stat.mode),
		.nlink = cpu_to_le32(stat.nlink),
		.blksize = cpu_to_le32(stat.blksize),
		.uid = cpu_to_le32(from_kuid(&init_user_ns, stat.uid)),
		.gid = cpu_to_le32(from_kgid(&init_user_ns, stat.gid)),
		.attributes = cpu_to_le64(stat.attributes),
		.attributes_mask = cpu_to_le64(stat.attributes_mask),
		.ino = cpu_to_le64(stat.ino),
		.dev = cpu_to_le64(new_encode_dev(stat.dev)),
		.rdev = cpu_to_le64(new_encode_dev(stat.rdev)),
		.size = cpu_to_le64(stat.size),
		.blocks = cpu_to_le64(stat.blocks),
		.atime = hosted_put_time(stat.atime),
		.mtime = hosted_put_time(stat.mtime),
		.ctime = hosted_put_time(stat.ctime),
		.btime = hosted_put_time(stat.btime),
	};
	return holon_reply_data(request, &attributes, sizeof(attributes));
}

static int change(struct file *file, struct iattr *attr)
{
	struct dentry *dentry = file_dentry(file);
	int err;

	/* Home has decided that it may. */
	attr->ia_valid |= ATTR_FORCE;
	if (attr->ia_valid & (ATTR_UID | ATTR_GID | ATTR_SIZE))
		attr->ia_valid |= ATTR_KILL_PRIV;
	if (attr->ia_valid & ATTR_SIZE && file->f_mode & FMODE_WRITE) {
		attr->ia_valid |= ATTR_FILE;
		attr->ia_file = file;
	}
	err = mnt_want_write_file(file);
	if (err)
		return err;
	inode_lock(d_inode(dentry));
	err = notify_change(file_mnt_idmap(file), dentry, attr, NULL);
	inode_unlock(d_inode(dentry));
	mnt_drop_write_file(file);
	return err;
}

static int hosted_change_handler(struct holon_request *request)
{
	const struct wire_hosted_change *msg = request->data;
	struct iattr attr = {
		.ia_valid = le32_to_cpu(msg->valid),
		.ia_mode = le32_to_cpu(msg->mode),
		.ia_uid = make_kuid(&init_user_ns, le32_to_cpu(msg->uid)),
		.ia_gid = make_kgid(&init_user_ns, le32_to_cpu(msg->gid)),
		.ia_size = le64_to_cpu(msg->size),
		.ia_atime = hosted_get_time(&msg->atime),
		.ia_mtime = hosted_get_time(&msg->mtime),
	};
	struct file *file;
	int err;

	if (attr.ia_valid & ~HOSTED_CHANGES || attr.ia_size < 0 || attr.ia_mode & ~S_IALLUGO ||
	    !uid_valid(attr.ia_uid) || !gid_valid(attr.ia_gid) ||
	    (attr.ia_valid & HOSTED_KILLS && attr.ia_valid & ATTR_MODE))
		return -EBADMSG;
	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	attr.ia_mode |= file_inode(file)->i_mode & S_IFMT;
	err = change(file, &attr);
	fput(file);
	return err;
}

/* --- locks --------------------------------------------------------------------- */

static fl_owner_t foreign_owner(u8 node, u64 number)
{
	return (fl_owner_t)((unsigned long)node << OWNER_BITS |
			    (number << 1 & GENMASK_ULL(OWNER_BITS - 1, 0)) | OWNER_FOREIGN);
}

static bool is_owned_by(const struct file_lock_core *lock, u8 node)
{
	unsigned long owner = (unsigned long)lock->flc_owner;

	return owner & OWNER_FOREIGN && owner >> OWNER_BITS == node;
}

/* Who holds a lock here is known by another number at home, if it is not from there. */
static pid_t global_pid(pid_t nr)
{
	struct task_struct *task;
	pid_t pid = nr;

	if (nr <= 0)
		return -nr;
	rcu_read_lock();
	task = find_task_by_pid_ns(nr, &init_pid_ns);
	if (task && holon_is_guest(task))
		pid = task_tgid_nr_ns(task, task_active_pid_ns(task));
	rcu_read_unlock();
	return pid;
}

static int set_lock(struct file *file, struct file_lock *lock)
{
	if (lock->c.flc_flags & FL_POSIX)
		return vfs_lock_file(file, F_SETLK, lock, NULL);
	if (file->f_op->flock)
		return file->f_op->flock(file, F_SETLK, lock);
	return locks_lock_file_wait(file, lock);
}

static int test_lock(struct holon_request *request, struct file *file, struct file_lock *lock)
{
	struct wire_hosted_lock found = {};
	int err = vfs_test_lock(file, lock);

	if (err)
		return err;
	found.type = cpu_to_le32(lock->c.flc_type);
	found.pid = cpu_to_le32(global_pid(lock->c.flc_pid));
	found.kind = cpu_to_le32(lock->c.flc_flags & FL_OFDLCK ? HOSTED_LOCK_OFD :
								 HOSTED_LOCK_POSIX);
	found.start = cpu_to_le64(lock->fl_start);
	found.end = cpu_to_le64(lock->fl_end);
	return holon_reply_data(request, &found, sizeof(found));
}

static bool lock_is_valid(const struct wire_hosted_lock *msg)
{
	u32 kind = le32_to_cpu(msg->kind), type = le32_to_cpu(msg->type);

	return kind >= HOSTED_LOCK_FLOCK && kind <= HOSTED_LOCK_OFD &&
	       (type == F_RDLCK || type == F_WRLCK || type == F_UNLCK) &&
	       le32_to_cpu(msg->pid) <= INT_MAX && (s64)le64_to_cpu(msg->start) >= 0 &&
	       le64_to_cpu(msg->start) <= le64_to_cpu(msg->end) &&
	       le64_to_cpu(msg->end) <= OFFSET_MAX &&
	       !(msg->test && kind == HOSTED_LOCK_FLOCK);
}

static void make_lock(const struct wire_hosted_lock *msg, u8 node, struct file *file,
		      struct file_lock *lock)
{
	u32 kind = le32_to_cpu(msg->kind);

	locks_init_lock(lock);
	lock->c.flc_type = le32_to_cpu(msg->type);
	/* As locks from behind a file server: nobody here has that number. */
	lock->c.flc_pid = -(pid_t)le32_to_cpu(msg->pid);
	lock->fl_start = le64_to_cpu(msg->start);
	lock->fl_end = le64_to_cpu(msg->end);
	lock->c.flc_file = file;
	lock->c.flc_flags = kind == HOSTED_LOCK_FLOCK ? FL_FLOCK :
			    kind == HOSTED_LOCK_OFD ? FL_POSIX | FL_OFDLCK : FL_POSIX;
	lock->c.flc_owner = kind == HOSTED_LOCK_POSIX ?
			    foreign_owner(node, le64_to_cpu(msg->owner)) : (fl_owner_t)file;
}

/* Its node may have closed the file while it was locked: then nobody else gives it back. */
static int set_lock_while_open(struct holon_request *request, struct file *file,
			       struct file_lock *lock)
{
	const struct wire_hosted_lock *msg = request->data;
	fl_owner_t owner = lock->c.flc_owner;
	struct file *still;
	int err;

	err = set_lock(file, lock);
	if (err || lock->c.flc_type == F_UNLCK)
		return err;
	still = hosted_of(request);
	if (still) {
		fput(still);
		return holon_reply_data(request, msg, sizeof(*msg));
	}
	if (owner != (fl_owner_t)file)
		locks_remove_posix(file, owner);
	return -ESTALE;
}

static int hosted_lock_handler(struct holon_request *request)
{
	const struct wire_hosted_lock *msg = request->data;
	struct file_lock lock;
	struct file *file;
	int err;

	if (!lock_is_valid(msg))
		return -EBADMSG;
	file = hosted_of(request);
	if (!file)
		return -ESTALE;
	make_lock(msg, request->node, file, &lock);
	err = msg->test ? test_lock(request, file, &lock) :
			  set_lock_while_open(request, file, &lock);
	locks_release_private(&lock);
	fput(file);
	return err;
}

static int hosted_unlock_handler(struct holon_request *request)
{
	const struct wire_hosted_lock *msg = request->data;
	struct file_lock lock;
	struct file *file;

	if (!lock_is_valid(msg) || msg->test || le32_to_cpu(msg->type) != F_UNLCK)
		return 0;
	file = hosted_of(request);
	if (!file)
		return 0;
	make_lock(msg, request->node, file, &lock);
	set_lock(file, &lock);
	locks_release_private(&lock);
	fput(file);
	return 0;
}

/* At the user: who has got it was killed before. A description keeps its locks. */
static void hosted_lock_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct wire_hosted_lock *granted = data;
	struct wire_hosted_lock msg;
	struct holon_vec vec = { &msg, sizeof(msg) };

	if (status || len < sizeof(*granted) || granted->test ||
	    le32_to_cpu(granted->kind) != HOSTED_LOCK_POSIX)
		return;
	msg = *granted;
	msg.type = cpu_to_le32(F_UNLCK);
	holon_send(node, &holon_rpc_hosted_unlock, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

/* The owner at @node of a lock that was made by means of @file, or NULL. */
static fl_owner_t find_owner(struct file_lock_context *ctx, const struct file *file, u8 node)
{
	struct file_lock_core *lock;
	fl_owner_t owner = NULL;

	spin_lock(&ctx->flc_lock);
	list_for_each_entry(lock, &ctx->flc_posix, flc_list) {
		if (lock->flc_file == file && is_owned_by(lock, node)) {
			owner = lock->flc_owner;
			break;
		}
	}
	spin_unlock(&ctx->flc_lock);
	return owner;
}

/* Whatever a file server says to that. */
static void forget_locks(struct file *file, fl_owner_t owner)
{
	struct file_lock lock;

	locks_init_lock(&lock);
	lock.c.flc_type = F_UNLCK;
	lock.c.flc_flags = FL_POSIX | FL_CLOSE;
	lock.c.flc_owner = owner;
	lock.c.flc_file = file;
	lock.fl_end = OFFSET_MAX;
	posix_lock_file(file, &lock, NULL);
}

void holon_hosted_unlock(struct file *file, u8 node)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(file));
	fl_owner_t owner, last = NULL;

	while (ctx && (owner = find_owner(ctx, file, node))) {
		if (owner == last)
			forget_locks(file, owner);
		else
			locks_remove_posix(file, owner);
		last = owner;
	}
}

/* --- exports -------------------------------------------------------------------- */

static struct file *keep_open(struct file *file)
{
	return get_file(file);
}

int holon_hosted_offer(struct file *file, u8 node, struct list_head *offers,
		       struct holon_hosted *hosted)
{
	u64 id;
	int err;

	err = holon_export_offer(HOLON_EXPORT_HOSTED, file, file, keep_open, node, offers, &id);
	if (err)
		return err;
	*hosted = (struct holon_hosted){
		.id = cpu_to_le64(id),
		.incarnation = cpu_to_le64(holon_view_incarnation(holon_node_id())),
		.host = cpu_to_le32(holon_node_id()),
	};
	return 0;
}

struct file *holon_hosted_here(const struct holon_hosted *hosted, u8 node)
{
	if (!hosted->id || le32_to_cpu(hosted->host) != holon_node_id() ||
	    le64_to_cpu(hosted->incarnation) != holon_view_incarnation(holon_node_id()))
		return NULL;
	return holon_export_get(HOLON_EXPORT_HOSTED, le64_to_cpu(hosted->id), node);
}
