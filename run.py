"""Start gpvar on a machine that has nothing but Python 3.11 to 3.14.

    python run.py demo          the whole job on a simulated England
    python run.py test          the tests
    python run.py WORDS ...     everything else is handed to the command

The first start makes an environment of gpvar's own and installs what requirements.lock names, each file checked
against its hash. Later starts find the stamp of that set-up and go straight to the command.

Only the standard library is used. This file is kept to words that every Python since 2.7 can read (no f-strings,
no annotations), so that somebody with an old Python gets a sentence and not a SyntaxError.
"""

from __future__ import print_function

import os
import subprocess
import sys

OLDEST, NEWEST = (3, 11), (3, 14)


def tell(problem, where="", fix=""):
    """Print a message in the three lines every gpvar message has."""
    lines = [problem]
    if where:
        lines.append("Where: " + where)
    if fix:
        lines.append("What to do: " + fix)
    print("\n".join(lines), file=sys.stderr)


def python_fault(version, is_64_bit=True, platform=""):
    """Say what is wrong with a Python as (problem, where, fix), or None for one that will do."""
    name = "Python {0}.{1}".format(*version)
    where = "{0}, at {1}".format(name, sys.executable)
    start = "py -3.12 run.py demo" if os.name == "nt" else "python3.12 run.py demo"
    if not OLDEST <= tuple(version) <= NEWEST:
        fix = "Install Python 3.12 or 3.13 beside it (nothing else changes), then start with: " + start
        other = another_python()
        if other:
            fix = "This machine has one that will do. Start with: " + other + " run.py demo"
        return "gpvar needs Python 3.11, 3.12, 3.13 or 3.14, and this is {0}.".format(name), where, fix
    if not is_64_bit or platform == "win-arm64":
        kind = "an ARM build" if platform == "win-arm64" else "a 32-bit build"
        fix = "Install the 64-bit (x86-64) Python of the same version, then start with: " + start
        return "gpvar's packages are not made for this kind of Python.", where + " (" + kind + ")", fix
    return None


def another_python():
    """Return the name of a Python on this machine that would do, or an empty string."""
    for minor in (13, 12, 11, 14):
        words = ["py", "-3.{0}".format(minor)] if os.name == "nt" else ["python3.{0}".format(minor)]
        try:
            with open(os.devnull, "w") as nowhere:
                if subprocess.call(words + ["-c", ""], stdout=nowhere, stderr=nowhere) == 0:
                    return " ".join(words)
        except OSError:
            continue
    return ""


if python_fault(sys.version_info[:2]):
    tell(*python_fault(sys.version_info[:2]))
    sys.exit(2)

import contextlib
import hashlib
import importlib.util
import re
import shutil
import sysconfig
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK = os.path.join(HERE, "requirements.lock")
PROJECT = os.path.join(HERE, "pyproject.toml")
PARTS = ("gpvar", "notebooks", os.path.join("data", "demo"), os.path.join("data", "templates"))
RECIPE = "1"  # raised when the way of setting up changes, so that every environment is made anew
STAMP = "gpvar-stamp.txt"
SPACE_NEEDED = 1500 * 1024 * 1024

USAGE = """\
python run.py demo                  the whole job on a simulated England, then opens the result (start here)
python run.py new FOLDER ...        a study of your own
python run.py check STUDY           read everything and say what is wrong with it; nothing is fitted
python run.py run STUDY             analyse, then write the reports
python run.py doctor                is this machine in order?
python run.py test                  the tests
python run.py --offline WHEELS ...  set up from a folder of downloaded packages (docs/install.md)

The first start sets gpvar up: a minute or two and 1 GB of disk, once. Windows: py run.py demo"""

# pip and uv listen to these; each would send the packages somewhere else than gpvar's own environment.
# fmt: off
MISLEADING = (
    "PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PIP_TARGET",
    "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON",
    "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY", "PIP_IGNORE_INSTALLED",
    "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_NO_BINARY",
)
# fmt: on


class SetUpFailed(Exception):
    """A set-up that could not be finished, as problem, where and fix."""


def main(words):
    """Set up when that is needed, then hand the words on; return the exit code."""
    wheels, words = split_offline(words)
    folder = environment_folder()
    ready = readiness(folder) == "ready"
    if not ready and not wheels and (not words or words[0] in ("-h", "--help", "help")):
        print(USAGE)
        return 0
    if not ready:
        with one_at_a_time(folder):
            set_up(folder, wheels)
    if wheels and not words:
        print("gpvar is set up. Next: python run.py demo", file=sys.stderr)
        return 0
    return hand_over(folder, words)


def split_offline(words):
    """Take ``--offline WHEELS`` off the front of the words."""
    if words and words[0].startswith("--offline="):
        words = ["--offline", words[0].split("=", 1)[1]] + words[1:]
    if not words or words[0] != "--offline":
        return None, words
    wheels = os.path.abspath(words[1]) if len(words) > 1 else ""
    if not os.path.isdir(wheels):
        raise SetUpFailed(
            "--offline needs the folder that holds the downloaded packages.",
            wheels or "nothing was named after --offline",
            "Name that folder: python run.py --offline FOLDER demo (docs/install.md says how to fill it).",
        )
    return wheels, words[2:]


def environment_folder():
    """Return where gpvar's own environment lives.

    On Windows it is outside the checkout: OneDrive would copy its 20,000 files, and paths would grow too long.
    """
    if os.name != "nt":
        return os.path.join(HERE, ".venv")
    local = os.environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")
    name = hashlib.sha256(os.path.normcase(HERE).encode("utf-8")).hexdigest()[:12]
    return os.path.join(local, "gpvar", name)


def environment_python(folder):
    """Return the environment's own Python."""
    if os.name != "nt":
        return os.path.join(folder, "bin", "python")
    # The Python of the Microsoft Store writes to a hidden copy of LOCALAPPDATA; realpath finds where that is.
    return os.path.realpath(os.path.join(folder, "Scripts", "python.exe"))


def wanted_stamp():
    """Return the stamp of a set-up made from what the checkout says now: environment, then package."""
    about = "|".join([RECIPE, "{0}.{1}".format(*sys.version_info), HERE]).encode("utf-8")
    return [hashlib.sha256(about + read(LOCK)).hexdigest(), hashlib.sha256(read(PROJECT)).hexdigest()]


def read(path):
    """Return the bytes of a file that comes with gpvar."""
    if not os.path.isfile(path):
        raise incomplete(path)
    with open(path, "rb") as file:
        return file.read()


def incomplete(path):
    """Return the failure of a checkout that lacks a part of itself."""
    return SetUpFailed(
        "gpvar is not whole: a part that should lie beside run.py is missing.",
        path,
        "Unpack the whole download into a folder (not only run.py, not from inside the zip), then start it there.",
    )


def readiness(folder):
    """Say whether the environment is "ready", wants only the "package" put in anew, or is "absent"."""
    wanted = wanted_stamp()
    try:
        with open(os.path.join(folder, STAMP), encoding="utf-8") as file:
            found = file.read().split()
        with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8") as file:
            home = re.search(r"^home\s*=\s*(.+?)\s*$", file.read(), re.MULTILINE).group(1)
    except (OSError, AttributeError):
        return "absent"
    # A Python that was uninstalled leaves its environments behind, whole to look at and dead.
    if not os.path.isdir(home) or not os.path.exists(environment_python(folder)):
        return "absent"
    if found == wanted:
        return "ready"
    return "package" if found[:1] == wanted[:1] else "absent"


def check_machine(folder):
    """Stop, with the reason, on a machine where the set-up could not succeed."""
    fault = python_fault(sys.version_info[:2], sys.maxsize > 2**32, sysconfig.get_platform())
    if fault:
        raise SetUpFailed(*fault)
    for part in PARTS:
        if not os.path.isdir(os.path.join(HERE, part)):
            raise incomplete(os.path.join(HERE, part))
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise SetUpFailed(
            "This Python came without the part that makes environments ({0}).".format(" and ".join(missing)),
            sys.executable,
            "Debian and Ubuntu keep it apart: sudo apt install python{0}.{1}-venv".format(*sys.version_info),
        )
    if os.path.isdir(folder) and not os.path.exists(os.path.join(folder, STAMP)) and os.listdir(folder):
        raise SetUpFailed(
            "There is already a folder where gpvar keeps its environment, and gpvar did not make it.",
            folder,
            "Rename or delete that folder, then start again.",
        )
    home = folder
    while not os.path.isdir(home):
        home = os.path.dirname(home)
    free = shutil.disk_usage(home).free
    if free < SPACE_NEEDED:
        raise SetUpFailed(
            "There is not enough free disk space to set gpvar up.",
            "{0} has {1:.1f} GB free; about {2:.1f} GB are needed".format(home, free / 1e9, SPACE_NEEDED / 1e9),
            "Make room there, then start again.",
        )


@contextlib.contextmanager
def one_at_a_time(folder):
    """Let a second start wait until the first has finished setting up."""
    try:
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        file = open(folder + ".lock", "a+b")  # noqa: SIM115 - closed below, which frees the lock
    except OSError as error:
        file, reason = None, error.strerror
    if file is None:
        raise SetUpFailed(
            "gpvar cannot write to the folder its environment belongs in.",
            "{0} ({1})".format(os.path.dirname(folder), reason),
            "Move the gpvar folder to a place of your own, such as Documents, then start again.",
        )
    with file:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # it gives up after ten seconds; the other start needs longer
                    continue
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def set_up(folder, wheels):
    """Make the environment, install the lock, then this checkout; write the stamp last.

    Until the stamp is whole it says "unfinished": an interrupted set-up is cleared away by the next start.
    """
    state = readiness(folder)
    if state == "ready":  # another start has done it while this one waited
        return
    check_machine(folder)
    stamp = os.path.join(folder, STAMP)
    if state == "absent":
        print(
            "gpvar is being set up, once: one to two minutes, longer on a slow line. Ctrl-C stops it.", file=sys.stderr
        )
        clear(folder)
        os.makedirs(folder)
        write(stamp, "unfinished\n")
        uv = None if wheels else shutil.which("uv")
        progress("making an environment of its own in " + folder)
        attempt([sys.executable, "-I", "-m", "venv", folder] + (["--without-pip"] if uv else []), wheels)
        install_lock(environment_python(folder), uv, wheels)
    else:
        write(stamp, "unfinished\n")
        progress("pyproject.toml has changed: putting gpvar in anew")
    install_checkout(environment_python(folder))
    if state == "absent":
        progress("preparing the packages, so that later starts are quick")
        compile_packages(environment_python(folder))
    write(stamp, "\n".join(wanted_stamp()) + "\n")
    progress("done")


def clear(folder):
    """Remove what an earlier, unfinished or outdated set-up left.

    It is renamed first: a folder in use refuses that and stays whole, and a removal that is interrupted leaves
    nothing that could be taken for an environment.
    """
    doomed = folder + ".old"
    try:
        if os.path.isdir(doomed):
            shutil.rmtree(doomed)
        if os.path.isdir(folder):
            os.rename(folder, doomed)
            shutil.rmtree(doomed)
        return
    except OSError as error:
        name = error.filename or folder
    raise SetUpFailed(
        "The old environment cannot be removed: something is still using it.",
        str(name),
        "Close JupyterLab and any other gpvar window, then start again.",
    )


def write(path, text):
    """Write a small text file."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def progress(text):
    """Say which step the set-up has reached."""
    print("  " + text, file=sys.stderr)
    sys.stderr.flush()


def install_lock(python, uv, wheels):
    """Install every package of the lock, each checked against its hash: through uv when it is there, else pip."""
    lock = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", LOCK]
    progress("installing its packages")
    if uv:
        with contextlib.suppress(SetUpFailed):  # uv does not know pip's settings for a proxy or a mirror
            return attempt([uv, "pip", "install", "--python", python] + lock, wheels)
        attempt([python, "-I", "-m", "ensurepip", "--upgrade"], wheels)
    source = ["--no-index", "--find-links", wheels] if wheels else ["--retries", "3"]
    quiet = ["--no-input", "--disable-pip-version-check", "--no-warn-script-location", "--progress-bar", "off"]
    return attempt([python, "-m", "pip", "install", "--no-compile"] + quiet + source + lock, wheels)


def install_checkout(python):
    """Put the checkout itself in, so that the environment reads the code where it lies."""
    flags = ["--no-deps", "--no-build-isolation", "-e", HERE]
    pip = subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0
    installer = [python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check"]
    if not pip:
        installer = [shutil.which("uv") or "uv", "pip", "install", "--offline", "--python", python]
    attempt(installer + flags, None)


def compile_packages(python):
    """Compile the packages' bytecode now, but for their tests; a few files in them are not meant to compile."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = subprocess.check_output(command, env=environment(), universal_newlines=True).strip()
    subprocess.call(
        [python, "-m", "compileall", "-q", "-j", "0", "-x", r"[\\/]tests[\\/]", packages],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def environment():
    """Return the surroundings for every child: UTF-8, and nothing that points at another Python's packages."""
    surroundings = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    surroundings.update(PYTHONUTF8="1", PYTHONIOENCODING="utf-8:replace", PYTHONNOUSERSITE="1")
    return surroundings


def attempt(command, wheels):
    """Run one step of the set-up; on failure keep its words in a log and say in plain ones what went wrong."""
    lines = []
    try:
        step = subprocess.Popen(
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        step, lines = None, [str(error)]
    if step:
        try:
            for line in step.stdout:
                lines.append(line)
                show_package(line)
            step.wait()
        finally:
            if step.poll() is None:  # we were interrupted
                step.kill()
        end_progress_line()
        if step.returncode == 0:
            return
    output = without_addresses("".join(lines))
    log = os.path.join(tempfile.gettempdir(), "gpvar-set-up.log")
    with contextlib.suppress(OSError):
        write(log, output)
    raise SetUpFailed(*explain(output, wheels, log))


def show_package(line):
    """Show which package is being fetched, on one line that is written over."""
    name = re.match(r"Collecting ([A-Za-z0-9._-]+?)(==|\s|$)", line)
    if name and sys.stderr.isatty():
        print("\r    {0:<60.60}".format(name.group(1)), end="", file=sys.stderr)
        sys.stderr.flush()


def end_progress_line():
    """Wipe the line that `show_package` writes over."""
    if sys.stderr.isatty():
        print("\r" + " " * 66 + "\r", end="", file=sys.stderr)


def without_addresses(text):
    """Return the text with every address taken out: a private index's may hold a password."""
    text = re.sub(r"(?im)^looking in (indexes|links):.*$", r"Looking in \1: <address>", text)
    text = re.sub(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\")>,]+", "<address>", text)
    return re.sub(r"host='[^']*'", "host='<address>'", text)


# What pip, uv and Python say -> what it means. The first that fits is taken, so the order matters: behind a proxy
# or without a network pip ends by saying that it found no version, which is the last thing to report.
CAUSES = (
    (
        r"do not match the hashes|hash mismatch|mismatched hash",
        "A downloaded package is not the file gpvar was tested with, so it was not installed.",
        "Start again. If it says the same, something between you and the package index changes files: show the log "
        "to your IT department.",
    ),
    (
        r"no space left|errno 28|winerror 112|disk quota",
        "The disk is full.",
        "Make about 1.5 GB of room, then start again: what was half done is cleared away.",
    ),
    (
        r"certificate_verify_failed|sslerror|invalid peer certificate|unknownissuer",
        "The secure connection to the package index was refused: your network checks traffic with a certificate of "
        "its own.",
        "Ask IT for that certificate as a .pem file and set PIP_CERT to its path, then start again (docs/install.md).",
    ),
    (
        r"proxyerror|cannot connect to proxy|tunnel connection failed|proxy authentication|\b407\b",
        "The proxy of your network did not let the packages through.",
        "Ask IT for the proxy's address; set it as HTTPS_PROXY, or as proxy = ... under [global] in pip.ini (pip.conf "
        "on Mac and Linux), then start again (docs/install.md). Where there is no proxy, as at home, clear it.",
    ),
    (
        r"newconnectionerror|name resolution|getaddrinfo|nodename nor servname|network is unreachable|"
        r"connection refused|connecttimeout|read timed out|connection broken|dns error|failed to fetch|"
        r"remotedisconnected|connection aborted|connection reset",
        "The packages could not be downloaded: there is no way to the package index from here.",
        "Check the network, then start again. Behind a proxy set HTTPS_PROXY (or proxy in pip.ini); with no network "
        "at all: python run.py --offline WHEELS demo (docs/install.md).",
    ),
    (
        r"winerror 206|file name too long|filename or extension is too long",
        "A path is longer than this Windows allows.",
        "Move the gpvar folder nearer to the root, such as C:\\gpvar, then start again.",
    ),
    (
        r"permission denied|access is denied|winerror 5\b|winerror 32|errno 13|read-only file system",
        "A file could not be written: it is open in another window, or the folder is not yours to write in.",
        "Close JupyterLab and other gpvar windows, or move the gpvar folder to Documents, then start again.",
    ),
    (
        r"ensurepip",
        "This Python cannot make an environment with pip in it.",
        "Debian and Ubuntu: sudo apt install python3-venv. Elsewhere: install Python 3.12 anew, then start again.",
    ),
)
NOT_FOUND = r"no matching distribution|could not find a version|no solution found|not found in the (package|provided)"


def explain(output, wheels, log):
    """Return what went wrong as (problem, where, fix), in words for somebody who does not know pip."""
    where = "the set-up of gpvar; what the installer said is in {0}".format(log)
    if wheels and re.search(NOT_FOUND, output, re.IGNORECASE):
        package = re.search(r"(?:No matching distribution found for|requirement) ([^\s;]+)", output)
        return (
            "The folder of packages lacks one that this Python needs"
            + (": {0}.".format(package.group(1)) if package else "."),
            "{0}, with Python {1}.{2}".format(wheels, *sys.version_info),
            "Fill the folder again on a machine with the same system and the same Python version (docs/install.md).",
        )
    for pattern, problem, fix in CAUSES:
        if re.search(pattern, output, re.IGNORECASE):
            return problem, where, fix
    if re.search(NOT_FOUND, output, re.IGNORECASE):
        return (
            "The package index you are using does not have one of the packages gpvar needs.",
            where,
            "If your organisation has an index of its own, ask IT to let in what requirements.lock names.",
        )
    return (
        "gpvar could not be set up, for a reason this program does not know.",
        where,
        "Start again; if it says the same, send that log with your question.",
    )


def hand_over(folder, words):
    """Run the tests or the command in the environment; its exit code is ours."""
    python = environment_python(folder)
    command = [python, "-m", "gpvar"] + words
    if words and words[0] == "test":
        os.chdir(HERE)
        # The whole suite on two cores: a file is one worker's, since what its tests share takes longest.
        command = [python, "-m", "pytest"] + (words[1:] or ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"])
    # So that the command can say what to type next in the words this person typed.
    surroundings = dict(environment(), GPVAR_COMMAND="py run.py" if os.name == "nt" else "python3 run.py")
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(python, command, surroundings)
    child = subprocess.Popen(command, env=surroundings)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the command had it too, and decides what to do
            continue


def start(words):
    """Run `main`, and turn what can go wrong into a message and an exit code."""
    try:
        return main(words)
    except SetUpFailed as failure:
        tell(*failure.args)
        return 2
    except KeyboardInterrupt:
        end_progress_line()
        tell(
            "Stopped before gpvar was set up.",
            environment_folder(),
            "Start again when you like: what was half done is cleared away.",
        )
        return 130
    except OSError as error:
        reason = str(error.strerror or error)
        tell(*explain(reason + " errno {0}".format(error.errno), None, str(error.filename or environment_folder())))
        return 2


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
