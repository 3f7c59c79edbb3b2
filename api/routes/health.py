"""Does this process run?"""

from fastapi import APIRouter

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """Say that the process runs; whether it can do its work is at its own health address."""
    return {"process": "api", "health": "running"}
