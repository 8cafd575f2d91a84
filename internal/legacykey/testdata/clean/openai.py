from openai import OpenAI

client = OpenAI(api_key="unset")
run = "a1b49bf7-07c0-409c-897b-1538e5a15b79"
