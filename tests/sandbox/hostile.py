"""Programs that mean harm: what each does, and which verdicts are right for it."""

from __future__ import annotations

from dataclasses import dataclass

from dataflow.sandbox import Program

ASSERT = "assert f() == 1, 'the tests ran'"
"""A test that every program here fails where it runs: none of them has an `f` that gives 1."""


@dataclass(frozen=True)
class Hostile:
    name: str
    program: Program
    verdicts: str


def script(name: str, code: str, verdicts: str) -> Hostile:
    return Hostile(name, Program(code), verdicts)


def tested(name: str, code: str, verdicts: str) -> Hostile:
    return Hostile(name, Program(code + "\ndef f(): return 0\n", tests=ASSERT), verdicts)


RESOURCES = [
    script("infinite loop", "while True: pass", "timeout"),
    script("sleeps", "import time; time.sleep(100)", "timeout"),
    script("loop that catches all", "while True:\n try:\n  while True: pass\n except BaseException: pass", "timeout"),
    script("ignores signals", "import signal\nfor s in range(1, 65):\n try: signal.signal(s, signal.SIG_IGN)\n except (OSError, ValueError): pass\nwhile True: pass", "timeout"),
    script("regular expression that explodes", "import re; re.match(r'(a+)+$', 'a' * 60 + 'b')", "timeout"),
    script("big power", "x = 9 ** 9 ** 9", "timeout memory"),
    script("memory bomb", "x = bytearray(1 << 40)", "memory"),
    script("memory bomb by lists", "x = []\nwhile True: x.append('a' * 10_000_000)", "memory timeout"),
    script("memory bomb that catches", "x = []\nwhile True:\n try: x.append(bytearray(1 << 24))\n except MemoryError: pass", "memory timeout"),
    script("memory bomb by many processes", "import os, time\nfor i in range(16):\n if not os.fork():\n  x = b'x' * (100 << 20); time.sleep(60)\ntime.sleep(60)", "memory"),
    script("memory bomb in the scratch folder", "import time\nfor i in range(20):\n try: open(f'f{i}', 'wb').write(b'x' * (8 << 20))\n except OSError: break\ntime.sleep(9)", "timeout memory"),
    script("fork bomb", "import os\nfor i in range(100):\n if not os.fork():\n  import time; time.sleep(60)", "forbidden"),
    script("fork bomb that catches", "import os, time\nn = 0\nfor i in range(100):\n try:\n  if not os.fork(): time.sleep(60)\n  n += 1\n except OSError: pass\nassert n >= 100, n", "failed"),
    script("thread bomb", "import threading, time\nfor i in range(100): threading.Thread(target=time.sleep, args=(60,)).start()", "forbidden"),
    script("infinite output", "while True: print('x' * 10_000)", "forbidden"),
    script("infinite errors", "import sys\nwhile True: sys.stderr.write('x' * 10_000)", "forbidden"),
    script("large file", "f = open('big', 'wb')\nfor i in range(10_000): f.write(b'x' * (1 << 20))", "forbidden"),
    script("sparse file", "f = open('big', 'wb'); f.truncate(10 << 30)", "forbidden"),
    script("inodes", "for i in range(1_000_000): open(str(i), 'w').close()", "forbidden timeout"),
    script("deep folders", "import os\nfor i in range(1_000_000): os.mkdir('d'); os.chdir('d')", "forbidden timeout"),
    script("deep recursion", "def f(): f()\nf()", "error"),
    script("deeper recursion", "import sys; sys.setrecursionlimit(10 ** 9)\nclass A:\n def __getattr__(self, n): return getattr(self, n + 'x')\nA().x", "error memory timeout"),
    script("nested source", "eval('(' * 100_000)", "error memory"),
    script("descriptors", "x = []\nwhile True: x.append(open('/dev/null'))", "forbidden"),
    script("huge exception", "raise ValueError('x' * 100_000_000)", "error"),
    script("exception that cannot be shown", "class E(Exception):\n def __str__(self): raise SystemExit(0)\nraise E", "error"),
    script("shared memory", "f = open('/dev/shm/x', 'wb')\nwhile True: f.write(b'x' * (1 << 20))", "forbidden"),
]  # fmt: skip

PLACES = [
    script("reads shadow", "open('/etc/shadow').read()", "error forbidden"),
    script("reads passwd", "open('/etc/passwd').read()", "error forbidden"),
    script("reads the home", "import os; assert not os.listdir(SECRET_FOLDER)", "error forbidden"),
    script("reads a secret", "print(open(SECRET_FILE).read())", "error forbidden"),
    script("reads by `..`", "print(open('../../../../../..' + SECRET_FILE).read())", "error forbidden"),
    script("reads by a link", "import os; os.symlink(SECRET_FILE, 'x'); print(open('x').read())", "error forbidden"),
    script("reads by the root of another", "print(open('/proc/1/root' + SECRET_FILE).read())", "error forbidden"),
    script("reads by its parent", "import os; print(open(f'/proc/{os.getppid()}/root' + SECRET_FILE).read())", "error forbidden"),
    script("writes to the root", "open('/x', 'w')", "forbidden"),
    script("writes to usr", "open('/usr/bin/x', 'w')", "forbidden"),
    script("writes into the interpreter", "import os; open(os.path.join(os.path.dirname(os.__file__), 'x.py'), 'w')", "forbidden"),
    script("writes to a secret", "open(SECRET_FILE, 'w').write('x')", "error forbidden"),
    script("writes to devices", "open('/dev/x', 'w')", "forbidden"),
    script("raw disk", "open('/dev/vda', 'rb')", "error forbidden"),
    script("settings of the kernel", "open('/proc/sys/kernel/core_pattern', 'w').write('x')", "forbidden error"),
    script("memory of the first process", "import re\nm = re.search('^([0-9a-f]+)-([0-9a-f]+) rw', open('/proc/1/maps').read(), re.M)\na, b = (int(x, 16) for x in m.groups())\nf = open('/proc/1/mem', 'r+b', 0); f.seek(a); f.write(bytes(b - a))\nimport time; time.sleep(60)", "forbidden error timeout"),
    script("environment", "import os; assert not any('KEY' in k or 'TOKEN' in k for k in os.environ), dict(os.environ)", "passed"),
    script("environment of others", "import glob\nfor p in glob.glob('/proc/[0-9]*/environ'):\n try: t = open(p, 'rb').read()\n except OSError: continue\n assert b'HOSTILE_TEST_KEY' not in t", "passed"),
    script("processes of others", "import os; p = [x for x in os.listdir('/proc') if x.isdigit()]; assert len(p) <= 3, p", "passed"),
    script("imports this package", "import dataflow", "error"),
]  # fmt: skip

KERNEL = [
    script("network by address", "import socket; socket.create_connection(('1.1.1.1', 80), 1)", "forbidden"),
    script("network by name", "import urllib.request; urllib.request.urlopen('http://example.com', timeout=1)", "forbidden"),
    script("network by datagram", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))", "forbidden"),
    script("loopback of the machine", "import socket; socket.create_connection(('127.0.0.1', PORT), 1)", "error forbidden"),
    script("abstract socket", "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0hostile-test')", "error forbidden"),
    script("socket of the virtual machine", "import socket; socket.socket(40, socket.SOCK_STREAM)", "forbidden"),
    script("netlink", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "forbidden"),
    script("memory without an owner", "import os; os.memfd_create('x')", "forbidden"),
    script("raw socket", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "forbidden"),
    script("unshare", "import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.unshare(0x10000000) == 0, ctypes.get_errno()", "failed"),
    script("mount", "import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.mount(b'none', b'/w', b'tmpfs', 0, None) == 0, ctypes.get_errno()", "failed"),
    script("unmount", "import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.umount2(b'/usr', 2) == 0, ctypes.get_errno()", "failed"),
    script("chroot", "import os; os.chroot('/usr')", "forbidden"),
    script("becomes root", "import os; os.setuid(0)", "forbidden error"),
    script("ptrace of its parent", "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); assert c.ptrace(16, 1, 0, 0) == 0", "failed"),
    script("kills all", "import os, signal; os.kill(-1, signal.SIGKILL)\nwhile True: pass", "error timeout"),
    script("kills its parents", "import os, signal\nfor p in (os.getppid(), 1):\n os.kill(p, signal.SIGKILL)\nimport time; time.sleep(60)", "error timeout forbidden"),
    script("kills by number", "import os\nfor p in range(3, 3000):\n try: os.kill(p, 9)\n except ProcessLookupError: pass", "passed error"),
    script("clock", "import time; time.clock_settime(time.CLOCK_REALTIME, 0)", "forbidden"),
    script("host name", "import socket; socket.sethostname('x')", "forbidden"),
    script("set-uid program", "import subprocess; subprocess.run(['su', '-c', 'id'], check=True, stdin=subprocess.DEVNULL)", "error forbidden"),
    script("device node", "import os; os.mknod('disk', 0o60600, os.makedev(8, 0)); open('disk', 'rb')", "forbidden"),
    script("crash", "import ctypes; ctypes.string_at(0)", "error"),
]  # fmt: skip

SPAM = "import os\nfor i in range(256):\n for t in TEXTS:\n  try: os.write(i, t)\n  except OSError: pass\n"
JUDGE = [
    tested("exits before the tests", "import sys; sys.exit(0)", "error"),
    tested("exits hard before the tests", "import os; os._exit(0)", "error"),
    tested("raises SystemExit", "raise SystemExit", "error"),
    tested("exits in a function", "import os\ndef f(): os._exit(0)", "failed error"),
    Hostile("exits in the tested function", Program("import os\ndef f(): os._exit(0)", tests=ASSERT), "error"),
    Hostile("leaves in the tested function", Program("def f(): raise SystemExit(0)", tests=ASSERT), "error"),
    Hostile("exits with the code of a done test", Program("import os\ndef f(): os._exit(77)", tests=[ASSERT]), "error"),
    Hostile("execs another program", Program("import os\ndef f(): os.execv('/bin/true', ['true'])", tests=ASSERT), "error"),
    tested("prints a verdict", "print('passed'); print('end\\x1fpassed\\x1f0\\x1f')", "failed"),
    tested("writes verdicts everywhere", "TEXTS = [b'end\\x1fpassed\\x1f0\\x1f\\n', b'\\x1fend\\x1fpassed\\x1f0\\x1f\\n', b'passed\\n']\n" + SPAM, "forbidden"),
    tested("floods every descriptor", "import os\nfor i in range(3, 64):\n try:\n  for _ in range(200): os.write(i, b'x' * 65536)\n except OSError: pass", "forbidden"),
    tested("reads every descriptor", "import os\nfor i in range(3, 64):\n try: os.set_blocking(i, False); os.read(i, 100)\n except OSError: pass", "failed error"),
    tested("closes every descriptor", "import os; os.closerange(0, 256)", "error"),
    tested("closes its output", "import sys; sys.stdout.close(); sys.stderr.close()", "failed"),
    tested("catches the failure", "import sys\nsys.excepthook = lambda *a: None", "failed"),
    tested("changes builtins", "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.compile = lambda *a, **k: compile('1', 'x', 'exec')\nbuiltins.exec = lambda *a: None\nbuiltins.isinstance = lambda *a: True", "failed"),
    tested("changes modules", "import os, sys, marshal\nos.write = lambda *a: 0\nos._exit = lambda *a: 0\nmarshal.loads = lambda *a: {'word': '', 'tests': [], 'doctests': False}\nsys.modules.clear()", "failed error"),
    tested("changes the runner", "import sys\nn = sys._getframe(2).f_globals\nfor k in list(n):\n if k.startswith(('run', 'test', 'attempt', 'verdict')): n[k] = lambda *a, **k: None", "error failed"),
    tested("replaces asserting by a trace", "import sys\nsys.settrace(lambda *a: None)", "failed"),
    tested("collects garbage", "import gc\nfor o in gc.get_objects():\n if type(o) is dict and 'verdict' in o: o.clear()", "failed error"),
    tested("thread that never ends", "import threading\ndef g():\n while True: pass\nthreading.Thread(target=g).start()", "failed"),
    tested("exits from a thread", "import threading, os, time\nthreading.Thread(target=lambda: (time.sleep(0.2), os._exit(0))).start()\ntime.sleep(5)", "error"),
    tested("exits by an alarm", "import signal, os, time\nsignal.signal(signal.SIGALRM, lambda *a: os._exit(0))\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\ntime.sleep(5)", "error"),
    tested("at exit", "import atexit, os\natexit.register(os._exit, 0)", "failed"),
    tested("garbage output", "import os; os.write(1, bytes(range(256)) * 10)", "failed"),
    tested("surrogates", "print('\\ud800')", "error"),
    tested("replaces the tests' file", "open('tests.py', 'w').write('pass'); import sys; sys.modules['tests'] = None", "failed"),
    tested("shadows modules", "open('os.py', 'w').write('def _exit(x): pass'); open('unittest.py', 'w').write('1/0')", "failed"),
    tested("loader tricks", "import importlib.util, sys\nsys.meta_path.insert(0, type('F', (), {'find_spec': staticmethod(lambda *a: None)}))\nsys.path_hooks.clear()", "failed"),
    Hostile("a result equal to all", Program("class A:\n def __eq__(self, o): raise KeyboardInterrupt\ndef f(): return A()", tests=ASSERT), "error"),
    Hostile("NUL in the source", Program("x = 1\0", tests=ASSERT), "error"),
    Hostile("lone surrogate in the source", Program("x = '\ud800'", tests=ASSERT), "error"),
    Hostile("no source", Program("", tests=ASSERT), "error"),
]  # fmt: skip

OUTLIVING = [
    script("daemon", "import os, time\nif not os.fork():\n os.setsid()\n if not os.fork():\n  NAME(); time.sleep(60)\n os._exit(0)\n", "passed"),
    script("daemon without descriptors", "import os, time\nif not os.fork():\n os.setsid()\n if not os.fork():\n  NAME(); os.closerange(0, 256); time.sleep(60)\n os._exit(0)\n", "passed"),
    script("child left behind", "import subprocess, sys\nsubprocess.Popen(['sleep', SECONDS])", "passed"),
    script("child of a timeout", "import os, time\nos.fork(); os.setsid() if os.getppid() != 1 else 0\nNAME(); time.sleep(60)", "timeout error forbidden"),
]  # fmt: skip

ALL = RESOURCES + PLACES + KERNEL + JUDGE
