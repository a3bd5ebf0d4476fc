"""The modules that every exported package is made of: copied into it, byte for byte.

They need nothing but the standard library, and import nothing of this project but each other.
`robot_api` is made by `skill_store.export.robot_protocol`; a test compares the two.
"""
