"""shutil and os.walk."""
import filecmp
import glob
import os
import shutil

for i in range(3):
    os.makedirs(f"t/d{i}/e")
    for j in range(3):
        with open(f"t/d{i}/e/f{j}", "w") as f:
            f.write(f"{i}{j}\n")
os.symlink("d0", "t/link")
shutil.copytree("t", "u", symlinks=True)
shutil.copytree("t", "v")
print(filecmp.dircmp("t", "u").diff_files, sorted(os.listdir("v/link/e")))
shutil.copy("t/d0/e/f0", "one")
shutil.copy2("t/d0/e/f0", "two")
shutil.copyfile("t/d0/e/f1", "one")
shutil.move("two", "t/d1")
shutil.move("t/d1", "moved")
shutil.rmtree("u")
print(sorted(glob.glob("t/**/f*", recursive=True)))
for top, dirs, files in sorted(os.walk(".", topdown=False)):
    print(top, sorted(dirs), sorted(files))
shutil.make_archive("a", "tar", "t")
shutil.unpack_archive("a.tar", "unpacked")
os.remove("a.tar")
print(shutil.which("sh") is not None, shutil.disk_usage(".").total > 0)
