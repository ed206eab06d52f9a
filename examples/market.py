"""A market that goes on in the background: read `price`, call `buy(3)`, stop it with `stop()`."""

import asyncio
import random
from collections import deque

random.seed(11)
price = 100.0
history: deque[float] = deque(maxlen=200)
cash, shares = 1000.0, 0
closes_after = 400  # ticks; change it while the market is open
news = asyncio.Queue()


async def trade() -> None:
    """One price every 10 ms, drawn towards 100 and moved by the news."""
    global price
    for _ in range(closes_after):
        shock = 0.0 if news.empty() else news.get_nowait()
        price = round(price + 0.02 * (100 - price) + random.gauss(0, 0.8) + shock, 2)
        history.append(price)
        await asyncio.sleep(0.01)


async def report() -> None:
    """Says something now and then, long after the execution that started it has ended."""
    while not market.done():
        await asyncio.sleep(0.25)
        low, high = min(history), max(history)
        print(f"{len(history):4} prices, now {price:.2f}, between {low:.2f} and {high:.2f}")
    print("The market is closed.")


def buy(count: int) -> str:
    global cash, shares
    if cash < count * price:
        return f"{count} shares cost {count * price:.2f}, and there is {cash:.2f}."
    cash, shares = round(cash - count * price, 2), shares + count
    return f"{count} bought at {price:.2f}."


def stop() -> None:
    market.cancel()


market = asyncio.create_task(trade())
reporter = asyncio.create_task(report())
print("The market is open: it goes on while you type.")
