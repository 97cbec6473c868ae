// SPDX-License-Identifier: GPL-2.0-only
/*
 * holonstub: what covers a directory that is not shared, in the container of a
 * home on another node.
 *
 * A walk that comes to its root stops with an error before anything has
 * happened, and the guest's call is made at home, see kernel/holon/
 * syscall_path.c. Nobody gets inside, so there is nothing else here.
 *
 * With the option "devices" the root can be walked and holds what /dev has that is
 * the same everywhere: null, zero, full, random, urandom and the links to
 * descriptors. Every other name is home's.
 *
 *	mount -t holonstub none /tmp
 *	mount -t holonstub -o devices none /dev
 */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/holon_file.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define HOLON_STUB_MAGIC	0x686c7374	/* "hlst" */

struct stub_options {
	bool devices;
};

enum { OPT_DEVICES };

static const struct fs_parameter_spec stub_parameters[] = {
	/* Not "dev": that is what mount(8) takes for the opposite of nodev. */
	fsparam_flag("devices", OPT_DEVICES),
	{}
};

/* Also in RCU mode: nothing here sleeps. */
static int stub_manage(const struct path *path, bool rcu_walk)
{
	return holon_left_shared();
}

static const struct dentry_operations stub_dentry_operations = {
	.d_manage = stub_manage,
};

static struct dentry *stub_lookup(struct inode *dir, struct dentry *dentry, unsigned int flags)
{
	return ERR_PTR(holon_left_shared());
}

/* Walking through is all that can be done with the directory itself. */
static int stub_permission(struct mnt_idmap *idmap, struct inode *inode, int mask)
{
	if (mask & (MAY_READ | MAY_WRITE | MAY_OPEN | MAY_ACCESS | MAY_CHDIR))
		return holon_left_shared();
	return 0;
}

static int stub_getattr(struct mnt_idmap *idmap, const struct path *path, struct kstat *stat,
			u32 request_mask, unsigned int flags)
{
	return holon_left_shared();
}

static const struct inode_operations stub_dir_operations = {
	.lookup = stub_lookup,
	.permission = stub_permission,
	.getattr = stub_getattr,
};

bool holon_inode_is_stub(const struct inode *inode)
{
	return inode->i_op == &stub_dir_operations;
}

/* Owner and mode of the device are the home's. */
static int stub_setattr(struct mnt_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	return holon_left_shared();
}

static const struct inode_operations stub_device_operations = {
	.setattr = stub_setattr,
};

static int stub_open(struct inode *inode, struct file *file)
{
	return holon_left_shared();
}

static const struct file_operations stub_file_operations = {
	.open = stub_open,
};

static int stub_show_options(struct seq_file *seq, struct dentry *root)
{
	const struct stub_options *options = root->d_sb->s_fs_info;

	if (options->devices)
		seq_puts(seq, ",devices");
	return 0;
}

static const struct super_operations stub_super_operations = {
	.statfs = simple_statfs,
	.drop_inode = generic_delete_inode,
	.show_options = stub_show_options,
};

static struct inode *stub_inode(struct super_block *sb, umode_t mode)
{
	struct inode *inode = new_inode(sb);

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = mode;
	simple_inode_init_ts(inode);
	return inode;
}

/* One name below the root, pinned until the superblock goes. */
static int stub_add(struct dentry *root, const char *name, struct inode *inode)
{
	struct dentry *dentry;

	if (!inode)
		return -ENOMEM;
	dentry = d_alloc_name(root, name);
	if (!dentry) {
		iput(inode);
		return -ENOMEM;
	}
	d_add(dentry, inode);
	return 0;
}

static const struct {
	const char *name;
	unsigned int minor;
} stub_devices[] = {
	{ "null", 3 }, { "zero", 5 }, { "full", 7 }, { "random", 8 }, { "urandom", 9 },
};

static const struct {
	const char *name, *target;
} stub_links[] = {
	{ "fd", "/proc/self/fd" },
	{ "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" },
};

static int stub_fill_dev(struct super_block *sb)
{
	struct inode *inode;
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(stub_devices); i++) {
		inode = stub_inode(sb, S_IFCHR | 0666);
		if (inode) {
			inode->i_op = &stub_device_operations;
			init_special_inode(inode, S_IFCHR | 0666,
					   MKDEV(MEM_MAJOR, stub_devices[i].minor));
		}
		err = stub_add(sb->s_root, stub_devices[i].name, inode);
		if (err)
			return err;
	}
	for (i = 0; i < ARRAY_SIZE(stub_links); i++) {
		inode = stub_inode(sb, S_IFLNK | 0777);
		if (inode) {
			inode->i_op = &simple_symlink_inode_operations;
			inode->i_link = (char *)stub_links[i].target;
		}
		err = stub_add(sb->s_root, stub_links[i].name, inode);
		if (err)
			return err;
	}
	return 0;
}

static int stub_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct stub_options *options = sb->s_fs_info;
	struct inode *inode;

	sb->s_magic = HOLON_STUB_MAGIC;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_op = &stub_super_operations;
	sb->s_time_gran = 1;
	if (!options->devices)
		sb->s_d_op = &stub_dentry_operations;
	inode = stub_inode(sb, S_IFDIR | 0755);
	if (!inode)
		return -ENOMEM;
	inode->i_op = &stub_dir_operations;
	inode->i_fop = &stub_file_operations;
	sb->s_root = d_make_root(inode);
	if (!sb->s_root)
		return -ENOMEM;
	if (options->devices)
		return stub_fill_dev(sb);
	spin_lock(&sb->s_root->d_lock);
	sb->s_root->d_flags |= DCACHE_MANAGE_TRANSIT;
	spin_unlock(&sb->s_root->d_lock);
	return 0;
}

static int stub_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct stub_options *options = fc->s_fs_info;
	struct fs_parse_result result;
	int opt = fs_parse(fc, stub_parameters, param, &result);

	if (opt < 0)
		return opt;
	options->devices = true;
	return 0;
}

static int stub_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, stub_fill_super);
}

static void stub_free(struct fs_context *fc)
{
	kfree(fc->s_fs_info);
}

static const struct fs_context_operations stub_context_operations = {
	.parse_param = stub_parse_param,
	.get_tree = stub_get_tree,
	.free = stub_free,
};

static int stub_init_fs_context(struct fs_context *fc)
{
	struct stub_options *options = kzalloc(sizeof(*options), GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	fc->s_fs_info = options;
	fc->ops = &stub_context_operations;
	return 0;
}

static void stub_kill_sb(struct super_block *sb)
{
	kill_litter_super(sb);
	kfree(sb->s_fs_info);
}

static struct file_system_type stub_type = {
	.owner = THIS_MODULE,
	.name = "holonstub",
	.init_fs_context = stub_init_fs_context,
	.parameters = stub_parameters,
	.kill_sb = stub_kill_sb,
};

static int __init holon_stub_init(void)
{
	return register_filesystem(&stub_type);
}
fs_initcall(holon_stub_init);
