"""Spark as a peer of the iterative works: installed from PyPI, its program compiled by javac."""

import glob
import os
import shutil
import subprocess
import venv

PACKAGE = "pyspark==4.3.0"
MEMORY = "8g"


class Unavailable(Exception):
    """Why there is no Spark."""


class Spark:
    """spark-submit with the compiled SparkLoops.java, in `home`."""

    def __init__(self, home, sources, threads):
        if not shutil.which("javac") or not shutil.which("jar"):
            raise Unavailable("no JDK: javac and jar are not installed (Debian: "
                              "openjdk-17-jdk-headless)")
        self.python = os.path.join(home, "venv/bin/python")
        self.threads = threads
        if not os.path.exists(self.python):
            venv.create(os.path.join(home, "venv"), with_pip=True)
        self.package = self.find_package()
        if self.package is None:
            installed = subprocess.run([self.python, "-m", "pip", "install", "-q", PACKAGE],
                                       check=False, capture_output=True, text=True)
            self.package = self.find_package()
            if self.package is None:
                raise Unavailable(f"pip install {PACKAGE}: {installed.stderr.strip()[-300:]}")
        self.jar = self.compile(home, os.path.join(sources, "SparkLoops.java"))

    def find_package(self):
        found = glob.glob(os.path.join(os.path.dirname(self.python), "..", "lib", "python*",
                                       "site-packages", "pyspark"))
        return os.path.abspath(found[0]) if found else None

    def compile(self, home, source):
        classes, jar = os.path.join(home, "classes"), os.path.join(home, "spark_loops.jar")
        shutil.rmtree(classes, ignore_errors=True)
        for command in (["javac", "-cp", os.path.join(self.package, "jars/*"), "-d", classes,
                         source], ["jar", "cf", jar, "-C", classes, "."]):
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode != 0:
                raise Unavailable(f"{command[0]}: {done.stderr.strip()[-300:]}")
        return jar

    def command(self, *words):
        return [os.path.join(self.package, "bin/spark-submit"), "--master",
                f"local[{self.threads}]", "--driver-memory", MEMORY, "--conf",
                "spark.ui.enabled=false", "--class", "SparkLoops", self.jar, *words]
