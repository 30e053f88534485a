"""Has real tools write lockfiles, and list what they lock, for the test that `RAMPART_LOCKFILES_DIR` names a folder to.

    python3 testdata/lockfiles.py FOLDER [NAME ...]

Each project lies in a folder of its own with the lockfile, `listed` (a line `name version` for each package the tool
itself lists) and, where the tool can tell, `listed-runtime`. Tools of npm and PyPI are installed below FOLDER/tools by
their ordinary clients, at the versions named here; others are used where the machine has them and named where not.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

FOLDER = Path(sys.argv[1]).absolute()
ONLY = set(sys.argv[2:])
TOOLS = FOLDER / "tools"

MANIFEST = {
    "name": "demo", "version": "1.0.0", "private": True,
    "dependencies": {"express": "4.19.2", "lodash4": "npm:lodash@^4.17.20", "@babel/code-frame": "7.24.2", "debug": "~2.6.9"},
    "devDependencies": {"mocha": "10.4.0", "typescript": "5.4.5", "react-dom": "18.2.0"},
    "optionalDependencies": {"fsevents": "2.3.3"},
    "peerDependencies": {"react": "18.2.0"},
    "workspaces": ["packages/*"],
}
INNER = {"name": "inner", "version": "0.3.0", "dependencies": {"ms": "2.0.0", "semver": "^7.0.0"}}
PYPROJECT = """[project]
name = "Demo_App"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["flask==3.0.3", "requests[socks]==2.31.0", "Jinja2", "typing.extensions"]
[project.optional-dependencies]
extra = ["rich==13.7.1"]
"""
GROUPS = '[dependency-groups]\ndev = ["pytest==8.2.2", "ruamel.yaml"]\n'
POETRY_GROUPS = '[tool.poetry]\npackage-mode = false\n[tool.poetry.group.dev.dependencies]\npytest = "8.2.2"\n"ruamel.yaml" = "*"\n'


def run(folder, *words, env=None, check=True):
    done = subprocess.run([str(word) for word in words], cwd=folder, env={**os.environ, **(env or {})},
                          capture_output=True, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in words)}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done.stdout


def project(name):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write(folder, pairs, file="listed"):
    lines = sorted({f"{name} {version}" for name, version in pairs})
    (folder / file).write_text("".join(line + "\n" for line in lines))
    print(f"{folder.name}: {file}: {len(lines)}", flush=True)


def npm_tool(name, *packages):
    folder = TOOLS / name
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        run(folder, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages)
    return folder / "node_modules"


def python_tool(name, *packages):
    folder = TOOLS / name
    if not (folder / "bin" / "pip").exists():
        venv.create(folder, with_pip=True)
    run(FOLDER, folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages)
    return folder / "bin"


def javascript(name):
    folder = project(name)
    (folder / "packages" / "inner").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(MANIFEST))
    (folder / "packages" / "inner" / "package.json").write_text(json.dumps(INNER))
    return folder


def real(name):
    """What the one alias of the manifest stands for."""
    return "lodash" if name == "lodash4" else name


def walk_npm(node, out):
    for name, entry in node.get("dependencies", {}).items():
        if "version" in entry and not entry.get("resolved", "").startswith("file:"):
            out.add((real(name), entry["version"]))
        walk_npm(entry, out)
    return out


def npm(version):
    folder = javascript(f"npm-{version}")
    run(folder, "npm", "install", "--package-lock-only", "--ignore-scripts", "--lockfile-version", version)
    for file, more in [("listed", []), ("listed-runtime", ["--omit=dev"])]:
        text = run(folder, "npm", "ls", "--all", "--json", "--package-lock-only", *more, check=False)
        write(folder, walk_npm(json.loads(text), set()), file)


def yarn1():
    folder = javascript("yarn-1")
    tool = npm_tool("yarn1", "yarn@1.22.22") / "yarn" / "bin" / "yarn.js"
    run(folder, "node", tool, "install", "--ignore-scripts", "--non-interactive", "--ignore-platform")
    text = run(folder, "node", tool, "list", "--json")
    pairs = set()

    def walk(trees):
        for tree in trees:
            if not tree.get("shadow"):
                name, _, version = tree["name"].rpartition("@")
                pairs.add((real(name), version))
            walk(tree.get("children", []))

    for line in text.splitlines():
        event = json.loads(line)
        if event["type"] == "tree":
            walk(event["data"]["trees"])
    write(folder, {pair for pair in pairs if pair[0] != "inner"})


def yarn4():
    folder = javascript("yarn-4")
    tool = npm_tool("yarn4", "@yarnpkg/cli-dist@4.18.1") / "@yarnpkg" / "cli-dist" / "bin" / "yarn.js"
    (folder / "yarn.lock").write_text("")
    (folder / ".yarnrc.yml").write_text("nodeLinker: node-modules\nenableTelemetry: false\nenableScripts: false\n")
    run(folder, "node", tool, "install", "--mode=update-lockfile")
    pairs = set()
    for line in run(folder, "node", tool, "info", "--all", "--recursive", "--json").splitlines():
        locator = json.loads(line)["value"]
        name, _, reference = locator[1:].partition("@")
        if not reference.startswith("workspace:"):
            pairs.add((locator[0] + name, re.search(r"(?:npm:|npm%3A)([0-9][^#:]*)", reference).group(1)))
    write(folder, pairs)


def pnpm(version):
    folder = javascript(f"pnpm-{version.split('.')[0]}")
    tool = npm_tool(f"pnpm{version}", f"pnpm@{version}") / "pnpm" / "bin" / "pnpm.cjs"
    (folder / "pnpm-workspace.yaml").write_text("packages:\n  - 'packages/*'\n")
    run(folder, "node", tool, "install", "--ignore-scripts", "--no-frozen-lockfile")

    def walk(node, out):
        for kind in ("dependencies", "devDependencies", "optionalDependencies", "unsavedDependencies"):
            for name, entry in node.get(kind, {}).items():
                if not entry["version"].startswith("link:"):
                    out.add((entry.get("from", name), entry["version"].split("(")[0].split("_")[0]))
                walk(entry, out)
        return out

    # What this machine cannot run is locked, and not listed.
    elsewhere = {("fsevents", "2.3.3")}
    for file, more in [("listed", []), ("listed-runtime", ["--prod"])]:
        text = run(folder, "node", tool, "list", "-r", "--depth", "100", "--json", *more)
        pairs = set(elsewhere)
        for one in json.loads(text):
            walk(one, pairs)
        write(folder, pairs, file)


def bun():
    folder = javascript("bun-1")
    modules = npm_tool("bun", "@oven/bun-linux-x64-baseline@1.4.5")
    tool = modules / "@oven" / "bun-linux-x64-baseline" / "bin" / "bun"
    run(folder, tool, "install", "--ignore-scripts")
    pairs = {("fsevents", "2.3.3")}
    for line in run(folder, tool, "pm", "ls", "--all").splitlines()[1:]:
        name, _, version = line.strip("│├└─ ").rpartition("@")
        if not version.startswith("workspace:"):
            pairs.add((real(name), version))
    write(folder, pairs)


def pep503(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(text):
    pairs = set()
    for line in text.splitlines():
        found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", line)
        if found:
            pairs.add((pep503(found.group(1)), found.group(2)))
    return pairs


def uv():
    folder = project("uv")
    tool = python_tool("uv", "uv==0.9.13") / "uv"
    (folder / "pyproject.toml").write_text(PYPROJECT + GROUPS)
    run(folder, tool, "lock", "-q")
    export = [tool, "export", "-q", "--no-hashes", "--no-emit-project"]
    write(folder, requirements(run(folder, *export, "--all-groups", "--all-extras")))
    write(folder, requirements(run(folder, *export, "--no-dev", "--all-extras")), "listed-runtime")
    other = project("pylock")
    run(folder, tool, "export", "-q", "--format", "pylock.toml", "--all-groups", "--all-extras", "--no-emit-project",
        "-o", other / "pylock.toml")
    shutil.copy(folder / "listed", other / "listed")


def pip():
    folder = project("pip")
    tool = python_tool("uv", "uv==0.9.13") / "uv"
    (folder / "in.txt").write_text("flask==3.0.3\nrequests[socks]==2.31.0\nJinja2\n")
    run(folder, tool, "pip", "compile", "-q", "--generate-hashes", "in.txt", "-o", "requirements.txt")
    venv.create(folder / "v", with_pip=True)
    pip = [folder / "v" / "bin" / "pip", "--disable-pip-version-check"]
    run(folder, *pip, "install", "-q", "-r", "requirements.txt")
    listed = json.loads(run(folder, *pip, "list", "--format", "json"))
    own = {"pip", "setuptools"}
    write(folder, {(pep503(one["name"]), one["version"]) for one in listed if one["name"] not in own})
    shutil.rmtree(folder / "v")


def poetry():
    folder = project("poetry")
    bin = python_tool("poetry", "poetry==2.2.1", "poetry-plugin-export==1.9.0")
    tool = bin / "poetry"
    # A mirror may have the simple index alone, which poetry asks when it is told so.
    index = run(folder, bin / "python", "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)")
    source = f'[[tool.poetry.source]]\nname = "simple"\nurl = "{index.strip()}"\npriority = "primary"\n'
    (folder / "pyproject.toml").write_text(PYPROJECT + POETRY_GROUPS + source)
    run(folder, tool, "lock", "-n")
    export = [tool, "export", "-n", "--without-hashes", "--all-extras"]
    write(folder, requirements(run(folder, *export, "--all-groups")))
    write(folder, requirements(run(folder, *export)), "listed-runtime")


def pdm():
    folder = project("pdm")
    tool = python_tool("pdm", "pdm[locked]==2.22.4") / "pdm"
    (folder / "pyproject.toml").write_text(PYPROJECT + GROUPS)
    run(folder, tool, "lock", "-q", "-G:all")
    export = [tool, "export", "--without-hashes"]
    write(folder, requirements(run(folder, *export, "-G:all")))
    write(folder, requirements(run(folder, *export, "-G:all", "--prod")), "listed-runtime")
    shutil.rmtree(folder / ".venv", ignore_errors=True)


def pipenv():
    folder = project("pipenv")
    tool = python_tool("pipenv", "pipenv==2025.0.4") / "pipenv"
    (folder / "Pipfile").write_text('[packages]\nflask = "==3.0.3"\nJinja2 = "*"\n'
                                    'requests = {version = "==2.31.0", extras = ["socks"]}\n[dev-packages]\npytest = "==8.2.2"\n')
    env = {"PIPENV_VENV_IN_PROJECT": "1", "PIPENV_IGNORE_VIRTUALENVS": "1"}
    run(folder, tool, "lock", env=env)
    write(folder, requirements(run(folder, tool, "requirements", "--dev", env=env)))
    write(folder, requirements(run(folder, tool, "requirements", env=env)), "listed-runtime")
    shutil.rmtree(folder / ".venv", ignore_errors=True)


def bundler():
    folder = project("bundler")
    (folder / "own").mkdir()
    (folder / "own" / "own.gemspec").write_text(
        'Gem::Specification.new { |s| s.name = "own"; s.version = "1.2"; s.summary = "s"; s.authors = ["a"]; s.files = [] }\n')
    (folder / "Gemfile").write_text('source "https://example.org"\ngem "debug"\ngem "rake"\ngem "minitest"\n'
                                    'gem "test-unit"\ngem "own", path: "own"\n')
    run(folder, "bundle", "lock", "--local")
    script = 'require "bundler"; Bundler.definition.specs.each { |s| puts "#{s.name} #{s.version}" }'
    text = run(folder, "ruby", "-e", script)
    write(folder, {tuple(line.split()) for line in text.splitlines() if not line.startswith(("bundler ", "own "))})


def composer():
    folder = project("composer")
    package = lambda name, version, needs=(): {
        "name": name, "version": version, "require": dict.fromkeys(needs, "*"),
        "dist": {"type": "zip", "url": f"https://example.org/{name}/{version}.zip"}}
    packages = [package("acme/one", "v1.2.3", ["acme/two"]), package("acme/two", "2.0.0-beta1"),
                package("acme/three", "dev-main", ["acme/four"]), package("acme/four", "4.0"), package("acme/five", "5.1.0")]
    manifest = {
        "repositories": [{"packagist.org": False}, {"type": "package", "package": packages}],
        "require": {"acme/one": "*", "acme/three": "dev-main"}, "require-dev": {"acme/five": "*"},
        "minimum-stability": "dev", "prefer-stable": True,
    }
    (folder / "composer.json").write_text(json.dumps(manifest))
    env = {"COMPOSER_ALLOW_SUPERUSER": "1", "COMPOSER_HOME": str(folder / "home")}
    run(folder, "composer", "update", "--no-install", "--no-interaction", "-q", env=env)
    for file, more in [("listed", []), ("listed-runtime", ["--no-dev"])]:
        text = run(folder, "composer", "show", "--locked", "--format=json", *more, env=env)
        locked = json.loads(text)["locked"]
        write(folder, {(one["name"].lower(), one["version"].split(" ")[0]) for one in locked}, file)


def go():
    folder = project("go")
    proxy = folder / "proxy"
    needs = {("example.com/a", "v1.2.0"): ["example.com/b v1.0.0", "example.com/B/c v0.1.0"], ("example.com/b", "v1.0.0"): [],
             ("example.com/B/c", "v0.1.0"): ["example.com/d/v2 v2.3.4-rc.1"], ("example.com/d/v2", "v2.3.4-rc.1"): [],
             ("example.com/e", "v3.0.0+incompatible"): [], ("example.com/e2", "v1.0.0"): []}
    for (path, version), wanted in needs.items():
        escaped = re.sub("[A-Z]", lambda c: "!" + c.group(0).lower(), path)
        place = proxy / escaped / "@v"
        place.mkdir(parents=True)
        mod = f"module {path}\n" + ("go 1.17\n" if "+" not in version else "") + "".join(f"require {one}\n" for one in wanted)
        code = "package p\n" + "".join(f'import _ "{one.split()[0]}"\n' for one in wanted)
        (place / "list").write_text(version + "\n")
        (place / f"{version}.mod").write_text(mod)
        (place / f"{version}.info").write_text(json.dumps({"Version": version, "Time": "2024-01-01T00:00:00Z"}))
        with zipfile.ZipFile(place / f"{version}.zip", "w") as archive:
            if "+" not in version:
                archive.writestr(f"{path}@{version}/go.mod", mod)
            archive.writestr(f"{path}@{version}/p.go", code)
    (folder / "go.mod").write_text("module demo\n\ngo 1.17\n\nreplace example.com/old => example.com/e2 v1.0.0\n")
    (folder / "main.go").write_text('package main\nimport (\n_ "example.com/a"\n_ "example.com/e"\n_ "example.com/old"\n)\nfunc main() {}\n')
    (proxy / "example.com/old/@v").mkdir(parents=True)
    shutil.copytree(proxy / "example.com/e2/@v", proxy / "example.com/old/@v", dirs_exist_ok=True)
    text = (proxy / "example.com/old/@v/v1.0.0.mod").read_text()
    (proxy / "example.com/e2/@v/v1.0.0.mod").write_text(text)
    env = {"GOPROXY": f"file://{proxy}", "GOSUMDB": "off", "GOFLAGS": "-mod=mod", "GOPATH": str(TOOLS / "gopath"),
           "GOTOOLCHAIN": "local"}
    run(folder, "go", "mod", "tidy", env=env)
    form = "{{with .Module}}{{if .Replace}}{{.Replace.Path}} {{.Replace.Version}}{{else}}{{.Path}} {{.Version}}{{end}}{{end}}"
    text = run(folder, "go", "list", "-deps", "-f", form, "./...", env=env)
    write(folder, {tuple(line.split()) for line in text.splitlines() if len(line.split()) == 2})
    run(folder, "chmod", "-R", "u+w", TOOLS / "gopath")
    shutil.rmtree(TOOLS / "gopath")
    shutil.rmtree(proxy)


def rpm():
    folder = project("rpm")
    for name, extra in [("one", "Epoch: 2"), ("two", ""), ("three-part", ""), ("four", "")]:
        spec = folder / f"{name}.spec"
        sub = "\n%package -n four-sub\nSummary: s\n%description -n four-sub\nd\n%files -n four-sub\n" if name == "four" else ""
        spec.write_text(f"Name: {name}\n{extra}\nVersion: 1.2~rc1\nRelease: 3.el9\nSummary: s\nLicense: MIT\nBuildArch: noarch\n"
                        f"%description\nd\n{sub}\n%files\n")
        run(folder, "rpmbuild", "-bb", "--define", f"_topdir {folder}/top", spec)
    built = list((folder / "top" / "RPMS").rglob("*.rpm"))
    run(folder, "rpm", "--dbpath", folder / "db", "--initdb")
    run(folder, "rpm", "--dbpath", folder / "db", "--justdb", "--nodeps", "--ignorearch", "-i", *built)
    query = r"%{NAME}\t%{EPOCHNUM}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n"
    (folder / "rpm-qa.txt").write_text(run(folder, "rpm", "--dbpath", folder / "db", "-qa", "--queryformat", query))
    text = run(folder, "rpm", "--dbpath", folder / "db", "-qa", "--queryformat", "%{NAME} %{EVR}\\n")
    write(folder, {tuple(line.split()) for line in text.splitlines()})



ALL = {
    "npm": (["npm"], lambda: [npm(version) for version in (1, 2, 3)]), "yarn1": (["npm"], yarn1), "yarn4": (["npm"], yarn4),
    "pnpm": (["npm"], lambda: [pnpm(version) for version in ("7.33.7", "8.15.9", "9.15.9", "10.34.9")]), "bun": (["npm"], bun),
    "uv": ([], uv), "pip": ([], pip), "poetry": ([], poetry), "pdm": ([], pdm), "pipenv": ([], pipenv),
    "bundler": (["bundle"], bundler), "composer": (["composer"], composer), "go": (["go"], go), "rpm": (["rpmbuild"], rpm),
}

TOOLS.mkdir(parents=True, exist_ok=True)
failed = []
for name, (programs, make) in ALL.items():
    if ONLY and name not in ONLY:
        continue
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f"{name}: left out, for this machine has no {', '.join(missing)}")
        continue
    try:
        make()
    except Exception as error:  # each tool for itself: one that fails is told at the end
        failed.append(name)
        print(f"{name}: FAILED: {error}", flush=True)
sys.exit(f"failed: {', '.join(failed)}" if failed else 0)
