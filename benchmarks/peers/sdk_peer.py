"""Answers of a file of prompts with a semaphore and the SDK: PROMPTS OUTPUT URL IN_FLIGHT TIMEOUT."""

import asyncio
import json
import sys
from pathlib import Path

from openai import AsyncOpenAI

prompts, output, url, in_flight, timeout = sys.argv[1:]


async def main():
    client = AsyncOpenAI(base_url=url, api_key="none", timeout=float(timeout), max_retries=10)
    slots = asyncio.Semaphore(int(in_flight))
    file = Path(output)
    done = {json.loads(line)["prompt"] for line in file.read_text().splitlines()} if file.exists() else set()

    async def ask(prompt):
        async with slots:
            try:
                answer = await client.chat.completions.create(
                    model="gpt-4o-mini",
                    messages=[{"role": "user", "content": prompt}],
                    temperature=0.7,
                    max_tokens=2048,
                )
                text = answer.choices[0].message.content
            except Exception as error:
                print(type(error).__name__, file=sys.stderr)
                return
            lines.write(json.dumps({"prompt": prompt, "text": text}) + "\n")
            lines.flush()

    with file.open("a") as lines:
        asked = [json.loads(line)["prompt"] for line in Path(prompts).read_text().splitlines()]
        await asyncio.gather(*(ask(prompt) for prompt in asked if prompt not in done))


asyncio.run(main())
