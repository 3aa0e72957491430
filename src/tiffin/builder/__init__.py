"""Dockerfile instructions: text -> what they change.

So far the instructions that change nothing but settings. `commit --change` and `import --change` take them:

    "ENV A=1"      --parse-->  Instruction("ENV", 'A=1')  --apply-->  the config with A=1
    "CMD echo $A"                                                     the config with that command

Rank 2: it runs nothing and touches no disk. Specification: docs.docker.com, "Dockerfile reference"; where that leaves
a question open, moby's and BuildKit's behaviour.
"""
