"""The agent and its faces.

Use the facades below it from Python: `env` (`Task`, `Goal`, `certify`...) and `skill_store`
(`Library`, `Skill`). Importing this package loads no physics and no terminal library.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
