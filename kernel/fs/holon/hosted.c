// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hosted files: open file descriptions that a process has left behind.
 *
 * A process that is away opens a regular file of a shared mount where it is. When it
 * moves on, the file is opened again, unless something hangs on the description: another
 * process has it since a fork, it is locked, its file has no name any more. Then the
 * description stays where it is, its node is the host of it, and home gets a hosted file,
 * which is operated from there, also on behalf of the process wherever it goes:
 *
 *	process, at a third node	home			host
 *	remote file, read() -------->	the deputy reads
 *					hosted file -------->	description
 *
 * Those that have stayed with the description use it as ever: position, locks and flags
 * are in one place. Only O_APPEND and O_NONBLOCK, once changed by F_SETFL, are not seen by
 * the others. A process that comes to the host again has the description itself again. When
 * the host leaves the view every use is EHOSTDOWN.
 *
 *	host: export			home: inode and file
 *	offered with the image ------>	has it, or opens it
 *	  <------- HOSTED_* ----------
 *	reply ----------------------->
 *					last one is closed
 *
 * Exports and inodes: see export.c and foreign.c; an export is one description. There is
 * one file here per description, found by its inode; what it is asked is asked of the host
 * each time, nothing is cached but the attributes that permissions are checked with, and the
 * size as it was then. The position is the host's: that of the file here is a number that no
 * file has. What is larger than a message is read and written in pieces, between which others
 * may come.
 *
 * Who opens it by its link in /proc, as a shell does for /dev/stdout, has the host open
 * it: another description, with an export of its own, which the file here drops.
 *
 * Not had: mappings and extended attributes.
 *
 * Locks: ->i_lock for the file of an inode, innermost. The host keeps nobody waiting: a
 * lock that another process has is asked for again and again, and so is what needs the
 * position while that is used. POSIX locks are also written down here, so that a close
 * finds them; who shares descriptors with another process (CLONE_FILES) has to give them
 * back itself.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/kdev_t.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "export.h"
#include "foreign.h"
#include "hosted.h"
#include "remote.h"

/* ->f_pos of each; one that says where has another. */
#define HOSTED_POSITION		(-LLONG_MAX)

/* How long to wait until something is asked for again, at first and at last. */
#define HOSTED_AGAIN_MIN_MS	1
#define HOSTED_AGAIN_MAX_MS	128

/* As many have numbers of processes. */
#define HOSTED_PID_BITS		22

static atomic_t hosted_count = ATOMIC_INIT(0);
static const struct file_operations hosted_fops;

unsigned int holon_hosted_files(void)
{
	return atomic_read(&hosted_count);
}

bool holon_file_is_hosted(const struct file *file)
{
	return file->f_op == &hosted_fops;
}

/**
 * struct hosted_again - private data of a file that has an export of its own
 * @key: which; the others have that of their inode
 * @sequence: of its open
 */
struct hosted_again {
	struct holon_export_key key;
	u64 sequence;
};

static const struct holon_export_key *key_of(const struct file *file)
{
	const struct hosted_again *again = file->private_data;

	return again ? &again->key : &holon_foreign(file_inode(file))->key;
}

static struct wire_hosted address(const struct holon_export_key *key)
{
	return (struct wire_hosted){
		.id = cpu_to_le64(key->id),
		.incarnation = cpu_to_le64(key->incarnation),
	};
}

/* Return: as holon_call(), also -EBADMSG if less than @min bytes come back. */
static int ask(const struct holon_export_key *key, const struct holon_rpc_type *type,
	       const struct holon_vec *vec, unsigned int nvec, struct holon_reply *reply,
	       size_t min)
{
	int err = holon_call(key->owner, type, vec, nvec, reply);

	if (err > 0 || (!err && reply && reply->len < min))
		err = -EBADMSG;
	if (err && reply)
		holon_reply_free(reply);
	return err;
}

/* Somebody else is in the way: wait longer each time. 0, or -ERESTARTSYS. */
static int pause(unsigned int *ms)
{
	if (msleep_interruptible(*ms) || signal_pending(current))
		return -ERESTARTSYS;
	*ms = min(2 * *ms, HOSTED_AGAIN_MAX_MS);
	return 0;
}

/* As ask(), while somebody else is at the position, or has what is to be locked. */
static int ask_patiently(const struct holon_export_key *key, const struct holon_rpc_type *type,
			 const struct holon_vec *vec, unsigned int nvec,
			 struct holon_reply *reply, size_t min)
{
	unsigned int ms = HOSTED_AGAIN_MIN_MS;
	int err, stop = 0;

	do {
		err = ask(key, type, vec, nvec, reply, min);
	} while (err == -EAGAIN && !(stop = pause(&ms)));
	return stop ?: err;
}

/* The same for what is answered by a number. */
static s64 ask_number(const struct holon_export_key *key, const struct holon_rpc_type *type,
		      const struct holon_vec *vec, unsigned int nvec)
{
	struct holon_reply reply = {};
	s64 number;
	int err;

	err = ask_patiently(key, type, vec, nvec, &reply, sizeof(__le64));
	if (err)
		return err;
	number = le64_to_cpup(reply.data);
	holon_reply_free(&reply);
	return number < 0 ? -EBADMSG : number;
}

static s64 call(const struct file *file, u32 op, s64 a, s64 b, s64 c)
{
	struct wire_hosted_call msg = {
		.file = address(key_of(file)),
		.op = cpu_to_le32(op),
		.arg = { cpu_to_le64(a), cpu_to_le64(b), cpu_to_le64(c) },
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	return ask_number(key_of(file), &holon_rpc_hosted_call, &vec, 1);
}

/* --- bytes -------------------------------------------------------------------- */

static s64 position(const struct kiocb *iocb)
{
	return iocb->ki_pos == HOSTED_POSITION ? HOSTED_HERE : iocb->ki_pos;
}

/* That negative positions are allowed here is for the one that is none. */
static int check_io(const struct kiocb *iocb, size_t len)
{
	if (iocb->ki_pos != HOSTED_POSITION &&
	    (iocb->ki_pos < 0 || (u64)iocb->ki_pos + len > MAX_LFS_FILESIZE))
		return -EINVAL;
	return iocb->ki_flags & IOCB_NOWAIT ? -EAGAIN : 0;
}

static void advance(struct kiocb *iocb, size_t done)
{
	if (iocb->ki_pos != HOSTED_POSITION)
		iocb->ki_pos += done;
}

/* Return: bytes, fewer than @len only at the end of the file. */
static ssize_t read_piece(struct kiocb *iocb, struct iov_iter *to, size_t len)
{
	const struct holon_export_key *key = key_of(iocb->ki_filp);
	struct wire_hosted_read msg = {
		.file = address(key),
		.pos = cpu_to_le64(position(iocb)),
		.len = cpu_to_le32(len),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct holon_reply reply = {};
	size_t got, copied;
	int err;

	/* What has been read does not come back. */
	if (user_backed_iter(to) && fault_in_iov_iter_writeable(to, len))
		return -EFAULT;
	err = ask_patiently(key, &holon_rpc_hosted_read, &vec, 1, &reply, 0);
	if (err)
		return err;
	got = min(reply.len, len);
	copied = copy_to_iter(reply.data, got, to);
	holon_reply_free(&reply);
	advance(iocb, copied);
	return copied < got && !copied ? -EFAULT : copied;
}

static ssize_t hosted_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	size_t done = 0, len;
	ssize_t got;

	got = check_io(iocb, iov_iter_count(to));
	if (got)
		return got;
	while (iov_iter_count(to)) {
		len = min_t(size_t, iov_iter_count(to), HOSTED_DATA_MAX);
		got = read_piece(iocb, to, len);
		if (got < 0)
			return done ?: got;
		done += got;
		if (got < len)
			break;
	}
	return done;
}

static u32 write_flags(const struct kiocb *iocb)
{
	return (iocb->ki_flags & IOCB_APPEND ? HOSTED_WRITE_APPEND : 0) |
	       (iocb->ki_flags & IOCB_DSYNC ? HOSTED_WRITE_DSYNC : 0) |
	       (iocb->ki_flags & IOCB_SYNC ? HOSTED_WRITE_SYNC : 0);
}

static ssize_t write_piece(struct kiocb *iocb, const void *data, size_t len)
{
	const struct holon_export_key *key = key_of(iocb->ki_filp);
	u64 limit = rlimit(RLIMIT_FSIZE);
	struct wire_hosted_write msg = {
		.file = address(key),
		.pos = cpu_to_le64(position(iocb)),
		.limit = cpu_to_le64(limit == RLIM_INFINITY ? U64_MAX : limit),
		.flags = cpu_to_le32(write_flags(iocb)),
	};
	struct holon_vec vec[] = { { &msg, sizeof(msg) }, { data, len } };
	s64 done;

	done = ask_number(key, &holon_rpc_hosted_write, vec, ARRAY_SIZE(vec));
	if (done > (s64)len)
		return -EBADMSG;
	if (done > 0)
		advance(iocb, done);
	return done;
}

static ssize_t hosted_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	size_t size = min_t(size_t, iov_iter_count(from), HOSTED_DATA_MAX), done = 0, len;
	ssize_t ret;
	void *data;

	ret = check_io(iocb, iov_iter_count(from));
	if (ret)
		return ret;
	data = kvmalloc(size, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	while (iov_iter_count(from)) {
		len = copy_from_iter(data, size, from);
		ret = len ? write_piece(iocb, data, len) : -EFAULT;
		if (ret < 0)
			break;
		done += ret;
		iov_iter_revert(from, len - ret);
		if (ret < len)
			break;
	}
	kvfree(data);
	if (!done && ret == -EFBIG && rlimit(RLIMIT_FSIZE) != RLIM_INFINITY)
		send_sig(SIGXFSZ, current, 0);
	if (done)
		WRITE_ONCE(holon_foreign(file_inode(iocb->ki_filp))->written, true);
	return done ?: ret;
}

/* For sendfile(): what is read and then not taken could not be given back to the position. */
static ssize_t hosted_splice_read(struct file *file, loff_t *pos, struct pipe_inode_info *pipe,
				  size_t len, unsigned int flags)
{
	if (*pos == HOSTED_POSITION && pipe == current->splice_pipe)
		return -EINVAL;
	return copy_splice_read(file, pos, pipe, len, flags);
}

/* --- calls -------------------------------------------------------------------- */

static loff_t hosted_llseek(struct file *file, loff_t offset, int whence)
{
	return call(file, HOSTED_SEEK, offset, whence, 0);
}

static int hosted_fsync(struct file *file, loff_t begin, loff_t end, int datasync)
{
	return call(file, HOSTED_SYNC, begin, end, datasync);
}

/* On a mount that is close-to-open this is the close. */
static int hosted_flush(struct file *file, fl_owner_t owner)
{
	return READ_ONCE(holon_foreign(file_inode(file))->written) ?
	       call(file, HOSTED_FLUSH, 0, 0, 0) : 0;
}

/* --- locks --------------------------------------------------------------------- */

/*
 * A number for who owns POSIX locks: the process, and when it has begun, for one that is
 * late to give back its locks must not give back those of a later one.
 */
static u64 owner_number(void)
{
	u64 begun = div_u64(current->group_leader->start_boottime, 10 * NSEC_PER_MSEC);

	return begun << HOSTED_PID_BITS | current->tgid;
}

static struct wire_hosted_lock describe(const struct file *file, const struct file_lock *lock)
{
	unsigned int flags = lock->c.flc_flags;

	return (struct wire_hosted_lock){
		.file = address(key_of(file)),
		.kind = cpu_to_le32(flags & FL_FLOCK ? HOSTED_LOCK_FLOCK :
				    flags & FL_OFDLCK ? HOSTED_LOCK_OFD : HOSTED_LOCK_POSIX),
		.type = cpu_to_le32(lock->c.flc_type),
		.pid = cpu_to_le32(current->tgid),
		.start = cpu_to_le64(lock->fl_start),
		.end = cpu_to_le64(lock->fl_end),
		.owner = cpu_to_le64(owner_number()),
	};
}

static int set_lock(const struct file *file, const struct file_lock *lock, bool wait)
{
	struct wire_hosted_lock msg = describe(file, lock);
	struct holon_vec vec = { &msg, sizeof(msg) };

	return (wait ? ask_patiently : ask)(key_of(file), &holon_rpc_hosted_lock, &vec, 1, NULL, 0);
}

static int hosted_flock(struct file *file, int cmd, struct file_lock *lock)
{
	return set_lock(file, lock, cmd == F_SETLKW && lock->c.flc_type != F_UNLCK);
}

static int test_lock(const struct file *file, struct file_lock *lock)
{
	struct wire_hosted_lock msg = describe(file, lock);
	const struct wire_hosted_lock *found;
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct holon_reply reply = {};
	int err;

	msg.test = cpu_to_le32(1);
	err = ask(key_of(file), &holon_rpc_hosted_lock, &vec, 1, &reply, sizeof(*found));
	if (err)
		return err;
	found = reply.data;
	lock->c.flc_type = le32_to_cpu(found->type);
	if (lock->c.flc_type != F_UNLCK) {
		lock->c.flc_flags = FL_POSIX;
		if (le32_to_cpu(found->kind) == HOSTED_LOCK_OFD)
			lock->c.flc_flags |= FL_OFDLCK;
		lock->c.flc_pid = le32_to_cpu(found->pid);
		lock->fl_start = le64_to_cpu(found->start);
		lock->fl_end = le64_to_cpu(found->end);
	}
	holon_reply_free(&reply);
	return 0;
}

/* Not even that of who is killed may fail: then it is given back a moment later. */
static void unlock_at_close(const struct file *file, const struct file_lock *lock)
{
	struct wire_hosted_lock msg = describe(file, lock);
	struct holon_vec vec = { &msg, sizeof(msg) };
	int err = -EINTR;

	if (!fatal_signal_pending(current))
		err = ask(key_of(file), &holon_rpc_hosted_lock, &vec, 1, NULL, 0);
	if (err)
		holon_send(key_of(file)->owner, &holon_rpc_hosted_unlock, &vec, 1,
			   GFP_KERNEL | __GFP_NOFAIL);
}

/*
 * Written down here, so that a close finds it. Who has locked what is the host's to decide:
 * of these none is in the way of another.
 */
static int note_lock(struct file *file, const struct file_lock *lock)
{
	struct file_lock note;
	int err;

	locks_init_lock(&note);
	note.c.flc_type = lock->c.flc_type == F_UNLCK ? F_UNLCK : F_RDLCK;
	note.c.flc_flags = FL_POSIX;
	note.c.flc_owner = lock->c.flc_owner;
	note.c.flc_pid = lock->c.flc_pid;
	note.c.flc_file = file;
	note.fl_start = lock->fl_start;
	note.fl_end = lock->fl_end;
	err = posix_lock_file(file, &note, NULL);
	locks_release_private(&note);
	return err;
}

static int hosted_lock(struct file *file, int cmd, struct file_lock *lock)
{
	bool own = !(lock->c.flc_flags & FL_OFDLCK);
	int err;

	if (cmd == F_GETLK)
		return test_lock(file, lock);
	if (lock->c.flc_flags & FL_CLOSE) {
		note_lock(file, lock);
		unlock_at_close(file, lock);
		return 0;
	}
	err = set_lock(file, lock, cmd == F_SETLKW && lock->c.flc_type != F_UNLCK);
	if (err || !own)
		return err;
	err = note_lock(file, lock);
	if (err && lock->c.flc_type != F_UNLCK) {
		lock->c.flc_type = F_UNLCK;
		unlock_at_close(file, lock);
	}
	return err;
}

/* --- attributes ---------------------------------------------------------------- */

static void take_stat(const struct wire_hosted_attributes *from, struct kstat *stat)
{
	*stat = (struct kstat){
		.result_mask = le32_to_cpu(from->mask),
		.mode = (le32_to_cpu(from->mode) & S_IALLUGO) | S_IFREG,
		.nlink = le32_to_cpu(from->nlink),
		.blksize = le32_to_cpu(from->blksize),
		.attributes = le64_to_cpu(from->attributes),
		.attributes_mask = le64_to_cpu(from->attributes_mask),
		.ino = le64_to_cpu(from->ino),
		.dev = new_decode_dev(le64_to_cpu(from->dev)),
		.rdev = new_decode_dev(le64_to_cpu(from->rdev)),
		.uid = make_kuid(&init_user_ns, le32_to_cpu(from->uid)),
		.gid = make_kgid(&init_user_ns, le32_to_cpu(from->gid)),
		.size = le64_to_cpu(from->size),
		.blocks = le64_to_cpu(from->blocks),
		.atime = hosted_get_time(&from->atime),
		.mtime = hosted_get_time(&from->mtime),
		.ctime = hosted_get_time(&from->ctime),
		.btime = hosted_get_time(&from->btime),
	};
}

/* Ask the host, and note what permissions are checked with. */
static int refresh(struct inode *inode, struct kstat *stat, u32 mask, unsigned int flags)
{
	const struct holon_export_key *key = &holon_foreign(inode)->key;
	struct wire_hosted_stat msg = {
		.file = address(key),
		.mask = cpu_to_le32(mask | STATX_BASIC_STATS),
		.flags = cpu_to_le32(flags & AT_STATX_SYNC_TYPE),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct holon_reply reply = {};
	int err;

	err = ask(key, &holon_rpc_hosted_stat, &vec, 1, &reply,
		  sizeof(struct wire_hosted_attributes));
	if (err)
		return err;
	take_stat(reply.data, stat);
	holon_reply_free(&reply);
	if (!uid_valid(stat->uid) || !gid_valid(stat->gid) || stat->size < 0)
		return -EBADMSG;
	spin_lock(&inode->i_lock);
	inode->i_mode = stat->mode;
	inode->i_uid = stat->uid;
	inode->i_gid = stat->gid;
	i_size_write(inode, stat->size);
	spin_unlock(&inode->i_lock);
	return 0;
}

static int hosted_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
			  u32 request_mask, unsigned int flags)
{
	return refresh(d_inode(path->dentry), stat, request_mask, flags);
}

static int hosted_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	const struct holon_export_key *key = &holon_foreign(inode)->key;
	unsigned int valid = attr->ia_valid & HOSTED_CHANGES;
	struct wire_hosted_change msg = {};
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct kstat stat;
	int err;

	err = refresh(inode, &stat, 0, 0) ?: setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	msg.file = address(key);
	/* That mode has been made of the one that is noted here. */
	if (valid & HOSTED_KILLS)
		valid &= ~ATTR_MODE;
	msg.valid = cpu_to_le32(valid);
	if (valid & ATTR_MODE)
		msg.mode = cpu_to_le32(attr->ia_mode & S_IALLUGO);
	if (valid & ATTR_UID)
		msg.uid = cpu_to_le32(from_kuid(&init_user_ns, attr->ia_uid));
	if (valid & ATTR_GID)
		msg.gid = cpu_to_le32(from_kgid(&init_user_ns, attr->ia_gid));
	if (valid & ATTR_SIZE)
		msg.size = cpu_to_le64(attr->ia_size);
	msg.atime = hosted_put_time(attr->ia_atime);
	msg.mtime = hosted_put_time(attr->ia_mtime);
	err = ask(key, &holon_rpc_hosted_change, &vec, 1, NULL, 0);
	return err ?: refresh(inode, &stat, 0, 0);
}

static const struct inode_operations hosted_inode_operations = {
	.getattr = hosted_getattr,
	.setattr = hosted_setattr,
};

static long hosted_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	struct kstat stat;
	int err = 0;

	/* The host knows no limit of the process. */
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		err = refresh(inode, &stat, 0, 0) ?: inode_newsize_ok(inode, offset + len);
	return err ?: call(file, HOSTED_ALLOCATE, mode, offset, len);
}

/* --- files --------------------------------------------------------------------- */

/* By a link in /proc. */
static int hosted_open(struct inode *inode, struct file *file)
{
	const struct holon_export_key *key = &holon_foreign(inode)->key;
	struct wire_hosted_open msg = {
		.file = address(key),
		.flags = cpu_to_le32(file->f_flags & HOSTED_FLAGS),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct holon_reply reply = {};
	struct hosted_again *again;
	int err;

	again = kzalloc(sizeof(*again), GFP_KERNEL_ACCOUNT);
	if (!again)
		return -ENOMEM;
	again->key = *key;
	err = ask(key, &holon_rpc_hosted_open, &vec, 1, &reply, 0) ?:
	      holon_export_taken(&reply, &again->key.id, &again->sequence);
	holon_reply_free(&reply);
	if (err) {
		kfree(again);
		return err;
	}
	file->private_data = again;
	file->f_pos = HOSTED_POSITION;
	/* The host's lock is the one that counts. */
	file->f_mode &= ~FMODE_ATOMIC_POS;
	return 0;
}

static int hosted_release(struct inode *inode, struct file *file)
{
	struct holon_foreign *hosted = holon_foreign(inode);
	struct hosted_again *again = file->private_data;

	spin_lock(&inode->i_lock);
	if (hosted->file == file)
		hosted->file = NULL;
	spin_unlock(&inode->i_lock);
	if (again)
		holon_export_drop(&again->key, again->sequence);
	kfree(again);
	return 0;
}

static const struct file_operations hosted_fops = {
	.owner = THIS_MODULE,
	.fop_flags = FOP_UNSIGNED_OFFSET,
	.open = hosted_open,
	.release = hosted_release,
	.read_iter = hosted_read_iter,
	.write_iter = hosted_write_iter,
	.splice_read = hosted_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = hosted_llseek,
	.fsync = hosted_fsync,
	.fallocate = hosted_fallocate,
	.flush = hosted_flush,
	.flock = hosted_flock,
	.lock = hosted_lock,
	.setlease = simple_nosetlease,
};

static void hosted_set_up(struct inode *inode)
{
	inode->i_mode = S_IFREG;
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	inode->i_op = &hosted_inode_operations;
	inode->i_fop = &hosted_fops;
}

/* The file of an inode, if there is one that has not been closed. */
static struct file *hosted_current(struct inode *inode)
{
	struct holon_foreign *hosted = holon_foreign(inode);
	struct file *file;

	spin_lock(&inode->i_lock);
	file = hosted->file;
	if (file && !atomic_long_inc_not_zero(&file->f_count))
		file = NULL;
	spin_unlock(&inode->i_lock);
	return file;
}

/* Let others find it. Return: it, or the one that was faster. */
static struct file *hosted_publish(struct inode *inode, struct file *file)
{
	struct holon_foreign *hosted = holon_foreign(inode);
	struct file *other;

	spin_lock(&inode->i_lock);
	other = hosted->file;
	if (!other || !atomic_long_inc_not_zero(&other->f_count)) {
		hosted->file = file;
		other = NULL;
	}
	spin_unlock(&inode->i_lock);
	if (!other)
		return file;
	fput(file);
	return other;
}

static struct file *hosted_new(struct inode *inode, unsigned int flags, const char *name)
{
	struct kstat stat;
	struct file *file;
	int err;

	err = refresh(inode, &stat, 0, 0);
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	file = holon_foreign_file(inode, name, flags, &hosted_fops);
	if (IS_ERR(file))
		return file;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_pos = HOSTED_POSITION;
	return hosted_publish(inode, file);
}

struct file *holon_hosted_file(u8 host, const struct holon_hosted *hosted, unsigned int flags,
			       const char *name)
{
	struct holon_export_key key = {
		.owner = host,
		.incarnation = le64_to_cpu(hosted->incarnation),
		.id = le64_to_cpu(hosted->id),
	};
	struct inode *inode;
	struct file *file;

	if (!key.id || host == holon_node_id() || le32_to_cpu(hosted->host) != host)
		return ERR_PTR(-EBADMSG);
	inode = holon_foreign_get(&key, &hosted_count, hosted_set_up);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	file = hosted_current(inode);
	if (!file)
		return hosted_new(inode, flags & HOSTED_FLAGS, name);
	iput(inode);
	return file;
}

void holon_hosted_describe(const struct file *file, struct holon_hosted *hosted)
{
	const struct holon_export_key *key = &holon_foreign(file_inode(file))->key;

	*hosted = (struct holon_hosted){};
	/* An export of its own is open for that file alone. */
	if (!holon_file_is_hosted(file) || file->private_data)
		return;
	hosted->id = cpu_to_le64(key->id);
	hosted->incarnation = cpu_to_le64(key->incarnation);
	hosted->host = cpu_to_le32(key->owner);
}
