// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote files: what a guest has under a number whose file stays open at home.
 *
 * System calls on such a number are dispatched before native code sees the
 * file (kernel/holon/syscall*.c): they run at the deputy, which has the real
 * file under the same number. So the file here needs only to answer users
 * inside the kernel: poll sets, sendfile from a local file, core dumps. They
 * are served by the same forwarded calls.
 *
 * Each file has an inode of its own with the type and device number of the
 * real one. Its links in /proc (fd/N) are walked at home: any use of the inode
 * by name says "left the shared tree".
 */
#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/xarray.h>

#include <asm/unistd.h>

#include "../../kernel/holon/marshal.h"
#include "../../kernel/holon/task.h"
#include "foreign.h"
#include "remote.h"

#define HOLON_REMOTE_MAGIC	0x686c7266	/* "hlrf" */

static struct vfsmount *remote_mount __ro_after_init;
static const struct file_operations holon_remote_fops;

int holon_left_shared(void)
{
	if (holon_is_guest(current))
		current->holon->left_shared = true;
	return -EREMOTE;
}

bool holon_file_is_remote(const struct file *file)
{
	return file->f_op == &holon_remote_fops;
}

bool holon_remote_pollable(const struct file *file)
{
	const struct holon_remote *remote = file->private_data;

	return remote->pollable;
}

bool holon_inode_is_remote(const struct inode *inode)
{
	return inode->i_sb == remote_mount->mnt_sb || holon_inode_is_foreign(inode);
}

int holon_remote_fd(const struct file *file)
{
	const struct holon_remote *remote;

	if (!holon_file_is_remote(file))
		return -1;
	remote = file->private_data;
	return READ_ONCE(remote->fd);
}

/* --- the second line ------------------------------------------------------- */

/* Read or write through an iterator. */
static ssize_t remote_transfer(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct holon_remote *remote = iocb->ki_filp->private_data;
	bool at = iocb->ki_filp->f_mode & (write ? FMODE_PWRITE : FMODE_PREAD);
	u32 nr = write ? (at ? __NR_pwrite64 : __NR_write) : (at ? __NR_pread64 : __NR_read);
	struct holon_marshal *m __free(holon_marshal) = NULL;
	int index, fd = READ_ONCE(remote->fd);
	size_t count = iov_iter_count(iter);
	ssize_t ret;

	if (!holon_is_guest(current) || current->holon->leader != remote->ht || fd < 0)
		return -EREMOTE;
	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	m = holon_marshal_new(current->holon, nr, NULL);
	if (!m)
		return -ENOMEM;
	count = min_t(size_t, count, HOLON_FORWARD_DATA);
	index = holon_marshal_iter(m, iter, write, write ? 0 : HOLON_FORWARD_BY_RESULT);
	if (index < 0)
		return index;
	m->args[0] = fd;
	m->args[2] = count;
	m->args[3] = iocb->ki_pos;
	holon_marshal_arg(m, 1, index);
	ret = holon_marshal_run(m);
	if (ret > 0) {
		ret = min_t(ssize_t, ret, count);
		iov_iter_advance(iter, ret);
		if (at)
			iocb->ki_pos += ret;
	}
	return ret;
}

static ssize_t remote_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return remote_transfer(iocb, to, false);
}

static ssize_t remote_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return remote_transfer(iocb, from, true);
}

static long remote_simple(struct file *file, u32 nr, u64 a, u64 b)
{
	struct holon_remote *remote = file->private_data;
	int fd = READ_ONCE(remote->fd);

	if (!holon_is_guest(current) || current->holon->leader != remote->ht || fd < 0)
		return -EREMOTE;
	return holon_forward_simple(current->holon, nr, fd, a, b, 0);
}

static loff_t remote_llseek(struct file *file, loff_t offset, int whence)
{
	loff_t pos = remote_simple(file, __NR_lseek, offset, whence);

	if (pos >= 0)
		file->f_pos = pos;
	return pos;
}

static int remote_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return remote_simple(file, datasync ? __NR_fdatasync : __NR_fsync, 0, 0);
}

/* By name, as /proc/self/fd/N: the deputy has the same link. */
static int remote_open(struct inode *inode, struct file *file)
{
	return holon_left_shared();
}

static int remote_release(struct inode *inode, struct file *file)
{
	struct holon_remote *remote = file->private_data;

	if (!remote)
		return 0;
	holon_remote_unregister(remote);
	holon_task_put(remote->ht);
	kfree_rcu(remote, rcu);
	return 0;
}

static const struct file_operations holon_remote_fops = {
	.owner = THIS_MODULE,
	.open = remote_open,
	.release = remote_release,
	.read_iter = remote_read_iter,
	.write_iter = remote_write_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = remote_llseek,
	.fsync = remote_fsync,
	.poll = holon_remote_poll,
};

/* --- inodes ---------------------------------------------------------------- */

static int remote_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	return holon_left_shared();
}

static int remote_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
			  u32 request_mask, unsigned int flags)
{
	return holon_left_shared();
}

static int remote_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	return holon_left_shared();
}

static struct dentry *remote_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	return ERR_PTR(holon_left_shared());
}

static const char *remote_get_link(struct dentry *dentry, struct inode *inode,
				   struct delayed_call *done)
{
	return ERR_PTR(holon_left_shared());
}

const struct inode_operations holon_left_inode_operations = {
	.permission = remote_permission,
	.getattr = remote_getattr,
	.setattr = remote_setattr,
};

static const struct inode_operations remote_dir_operations = {
	.permission = remote_permission,
	.getattr = remote_getattr,
	.setattr = remote_setattr,
	.lookup = remote_lookup,
};

static const struct inode_operations remote_link_operations = {
	.permission = remote_permission,
	.getattr = remote_getattr,
	.setattr = remote_setattr,
	.get_link = remote_get_link,
};

/* readlink() of /proc/self/fd/N: the name is home's to tell. */
static char *remote_dname(struct dentry *dentry, char *buffer, int len)
{
	if (holon_is_guest(current)) {
		holon_left_shared();
		return ERR_PTR(-EREMOTE);
	}
	return dynamic_dname(buffer, len, "holon:[%lu]", d_inode(dentry)->i_ino);
}

static const struct dentry_operations remote_dentry_operations = {
	.d_dname = remote_dname,
};

static struct inode *remote_inode(umode_t mode, dev_t rdev)
{
	struct inode *inode = new_inode_pseudo(remote_mount->mnt_sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = mode;
	inode->i_rdev = rdev;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	simple_inode_init_ts(inode);
	inode->i_fop = &holon_remote_fops;
	if (S_ISDIR(mode))
		inode->i_op = &remote_dir_operations;
	else if (S_ISLNK(mode))
		inode->i_op = &remote_link_operations;
	else
		inode->i_op = &holon_left_inode_operations;
	return inode;
}

void holon_file_describe(const struct file *file, int fd, bool cloexec,
			 struct holon_file_info *info)
{
	const struct inode *inode = file_inode(file);

	*info = (struct holon_file_info) {
		.fd = cpu_to_le32(fd),
		.flags = cpu_to_le32(file->f_flags),
		.mode = cpu_to_le32(inode->i_mode),
		.cloexec = cpu_to_le16(cloexec),
		.pollable = cpu_to_le16(!!file->f_op->poll),
		.rdev = cpu_to_le64(new_encode_dev(inode->i_rdev)),
	};
}

struct file *holon_remote_file(struct holon_task *ht, const struct holon_file_info *info)
{
	umode_t mode = le32_to_cpu(info->mode);
	unsigned int flags = le32_to_cpu(info->flags);
	struct holon_remote *remote;
	struct inode *inode;
	struct file *file;
	int err;

	if (le32_to_cpu(info->fd) > INT_MAX)
		return ERR_PTR(-EBADF);
	/* Nobody opens it: these only say what it would be. */
	flags &= O_ACCMODE | O_APPEND | O_NONBLOCK | O_PATH | O_DIRECTORY;
	remote = kzalloc(sizeof(*remote), GFP_KERNEL);
	if (!remote)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&remote->lock);
	init_waitqueue_head(&remote->wait);
	remote->fd = le32_to_cpu(info->fd);
	remote->pollable = le16_to_cpu(info->pollable);
	remote->ht = holon_task_get(ht->leader);
	inode = remote_inode(mode, new_decode_dev(le64_to_cpu(info->rdev)));
	if (!inode) {
		err = -ENOMEM;
		goto free_remote;
	}
	file = alloc_file_pseudo(inode, remote_mount, "holon", flags & ~O_PATH,
				 &holon_remote_fops);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		iput(inode);
		goto free_remote;
	}
	if (flags & O_PATH)
		file->f_flags |= O_PATH;
	/* Positions are home's; a transfer with a place of its own has pread. */
	if (S_ISREG(mode) || S_ISBLK(mode))
		file->f_mode |= FMODE_PREAD | FMODE_PWRITE | FMODE_LSEEK;
	else
		stream_open(inode, file);
	err = holon_remote_register(remote);
	if (err) {
		fput(file);	/* without private_data */
		goto free_remote;
	}
	file->private_data = remote;
	return file;

free_remote:
	holon_task_put(remote->ht);
	kfree(remote);
	return ERR_PTR(err);
}

/* A stand-in for what @file stands for, at the number of @ht. */
static struct file *remote_copy(struct holon_task *ht, const struct file *file, int fd)
{
	const struct holon_remote *remote = file->private_data;
	const struct inode *inode = file_inode(file);
	struct holon_file_info info = {
		.fd = cpu_to_le32(fd),
		.flags = cpu_to_le32(file->f_flags),
		.mode = cpu_to_le32(inode->i_mode),
		.pollable = cpu_to_le16(remote->pollable),
		.rdev = cpu_to_le64(new_encode_dev(inode->i_rdev)),
	};

	return holon_remote_file(ht, &info);
}

int holon_remote_fork(struct holon_task *ht)
{
	struct files_struct *files = current->files;
	struct file *file, *copy;
	struct xarray copies;
	unsigned int fd, last;
	int err = 0;

	xa_init(&copies);
	spin_lock(&files->file_lock);
	last = files_fdtable(files)->max_fds;
	spin_unlock(&files->file_lock);
	/* Nobody else changes the table: files that are the same stay so. */
	for (fd = 0; fd < last && !err; fd++) {
		file = fget_raw(fd);
		if (!file)
			continue;
		if (holon_file_is_remote(file)) {
			copy = xa_load(&copies, (unsigned long)file);
			if (copy)
				get_file(copy);
			else
				copy = remote_copy(ht, file, fd);
			if (IS_ERR(copy)) {
				err = PTR_ERR(copy);
			} else {
				err = xa_err(xa_store(&copies, (unsigned long)file, copy,
						      GFP_KERNEL));
				spin_lock(&files->file_lock);
				rcu_assign_pointer(files_fdtable(files)->fd[fd], copy);
				spin_unlock(&files->file_lock);
				/* The reference that the table had. */
				fput(file);
			}
		}
		fput(file);
	}
	xa_destroy(&copies);
	return err;
}

/* --- the file system that holds the inodes --------------------------------- */

static int remote_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, HOLON_REMOTE_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->dops = &remote_dentry_operations;
	return 0;
}

static struct file_system_type remote_type = {
	.name = "holonremote",
	.init_fs_context = remote_init_fs_context,
	.kill_sb = kill_anon_super,
};

static int __init holon_remote_init(void)
{
	remote_mount = kern_mount(&remote_type);
	return PTR_ERR_OR_ZERO(remote_mount);
}
fs_initcall(holon_remote_init);
