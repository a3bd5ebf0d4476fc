"""The inside of the sandbox: what runs in the warmed parent and in its locked-down children.

Nothing here may import the rest of the project: these files are loaded by path into an
interpreter without site-packages (see `zygote`), under the package name ``confined``. Only
`frames` is used on the outside too, because both sides must agree on it.
"""
