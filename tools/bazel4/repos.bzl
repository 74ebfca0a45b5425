"""Bazel 4 without a network: local stand-ins for external repositories.

Programs run with the interpreter of .venv, which holds the packages of the lock. `@pypi//NAME` is
therefore an empty library: it makes a misspelt or unlocked name a build error, and lets the same
BUILD files serve a modern Bazel, where rules_python fetches the packages.
"""

def _stub_impl(ctx):
    for path, content in ctx.attr.files.items():
        ctx.file(path, content)

_stub = repository_rule(implementation = _stub_impl, attrs = {"files": attr.string_dict()})

def _native(package, rules):
    """Files of a package whose defs.bzl re-exports Bazel's built-in rules."""
    return {
        package + "/BUILD": "",
        package + "/defs.bzl": "\n".join(["{r} = native.{r}".format(r = r) for r in rules]),
    }

_PYPI_BUILD = """\
py_library(name = "{name}", visibility = ["//visibility:public"])
"""

def _pypi_impl(ctx):
    """Writes @pypi//name, an empty library, for every `name==version` line of the lock."""
    ctx.file("BUILD", "")
    for line in ctx.read(ctx.attr.requirements).split("\n"):
        if "==" in line and line[0].isalnum():
            name = line.split("==")[0].split("[")[0].strip().lower()
            name = name.replace("-", "_").replace(".", "_")
            ctx.file(name + "/BUILD", _PYPI_BUILD.format(name = name))

_pypi = repository_rule(
    implementation = _pypi_impl,
    attrs = {"requirements": attr.label(allow_single_file = True)},
)

_COVERAGE_BUILD = """\
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])

filegroup(name = "lcov_merger", visibility = ["//visibility:public"])
"""

_PYTHON_BUILD = """\
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

py_runtime(name = "runtime", interpreter_path = "{interpreter}", python_version = "PY3")

py_runtime_pair(name = "pair", py3_runtime = ":runtime")

toolchain(
    name = "toolchain",
    toolchain = ":pair",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _python_impl(ctx):
    """Makes the interpreter of the workspace's virtual environment the Python toolchain."""
    root = ctx.path(ctx.attr.requirements).dirname
    ctx.file("BUILD", _PYTHON_BUILD.format(interpreter = "%s/.venv/bin/python" % root))

_python = repository_rule(
    implementation = _python_impl,
    attrs = {"requirements": attr.label(allow_single_file = True)},
    local = True,
)

def bazel4_repositories():
    """Declares every external repository that the BUILD files and Bazel itself ask for."""
    _stub(name = "rules_cc", files = _native("cc", [
        "cc_binary",
        "cc_library",
        "cc_test",
        "cc_toolchain",
        "cc_toolchain_suite",
    ]))
    _stub(name = "rules_java", files = _native("java", [
        "java_binary",
        "java_import",
        "java_library",
        "java_runtime",
        "java_toolchain",
    ]))
    _stub(name = "rules_python", files = _native("python", ["py_binary", "py_library", "py_test"]))
    _stub(name = "remote_coverage_tools", files = {"BUILD": _COVERAGE_BUILD})
    _pypi(name = "pypi", requirements = "//:requirements.txt")
    _python(name = "venv", requirements = "//:requirements.txt")
    native.register_toolchains("@venv//:toolchain")
