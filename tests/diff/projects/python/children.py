"""subprocess in its forms: redirection to files, cwd, pass_fds, posix_spawn, os.system, popen, multiprocessing."""
import multiprocessing
import os
import subprocess


def work(n):
    with open(f"w{n}", "w") as f:
        f.write(str(n))
    return n * n


with open("out", "w") as out:
    subprocess.run(["echo", "redirected"], stdout=out, check=True)
    subprocess.run("echo shell; echo error >&2", shell=True, stdout=out, stderr=subprocess.STDOUT, check=True)
os.mkdir("d")
subprocess.run(["sh", "-c", "echo in > f; basename $PWD"], cwd="d", check=True)
subprocess.run(["sh", "-c", "cat ../out > g"], cwd=os.path.join(os.getcwd(), "d"), check=True)
print(subprocess.check_output(["cat", os.path.abspath("out")]).decode())
fd = os.open("passed", os.O_WRONLY | os.O_CREAT)
subprocess.run(["sh", "-c", f"echo passed >&{fd}"], pass_fds=[fd], check=True)
os.close(fd)
actions = [(os.POSIX_SPAWN_OPEN, 1, os.path.abspath("spawned"), os.O_WRONLY | os.O_CREAT, 0o644)]
os.waitpid(os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ, file_actions=actions), 0)
os.system("echo system > system; echo more >> system")
with os.popen("cat system; echo popen > popen") as p:
    print(p.read())
with open("script", "w") as f:
    f.write("#!/bin/sh\necho script $1 > made\n")
os.chmod("script", 0o755)
subprocess.run([os.path.abspath("script"), "arg"], check=True)
subprocess.run(["./script", "arg2"], check=True)
try:
    subprocess.run(["./nowhere"], check=True)
except FileNotFoundError as e:
    print(e)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(work, range(4)))
print(sorted(os.listdir()), sorted(os.listdir("d")))
